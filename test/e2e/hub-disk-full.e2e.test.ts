import { afterAll, expect, test } from 'bun:test'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawnUp } from '../../src/cli/storm/up-process.ts'
import { createDiskFiller } from '../../src/storm/faults/disk-filler.ts'
import { canMakeSmallDisk } from '../../src/storm/index.ts'
import { collect, createHubBed, event, SHOP } from '../fixtures/hub/bed.ts'
import { ORDER, ORDERS_TOPIC, TRAILER } from '../fixtures/hub/shop.ts'
import { eventually } from './platform.ts'

const MIB = 1024 * 1024
const PUBLISHERS = 4
const whyNot = canMakeSmallDisk()

// A socket's path has little room: not below the system's temporary directory, which may have a long name.
const directory = mkdtempSync('/tmp/hub-')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Told = { readonly status: number; readonly code: string }

test.skipIf(whyNot !== null)(
  `a full disk: said to whoever publishes, nothing acknowledged lost, and all goes on once there is room (${whyNot ?? 'made here'})`,
  async () => {
    const home = mkdtempSync(join(directory, 'p-'))
    const up = await spawnUp({
      directory: home,
      config: { hub: { modules: [SHOP] } },
      logFile: join(directory, 'up.log'),
      diskBytes: 256 * MIB,
    })
    const filler = createDiskFiller(up.layout.home)
    try {
      const runtime = await up.ready(AbortSignal.timeout(60_000))
      const operatorToken = readFileSync(up.layout.operatorTokenFile, 'utf8').trim()
      const bed = createHubBed({ home: up.layout.home, consoleUrl: runtime.urls.console, operatorToken })
      const token = await bed.spoke('full', { publishes: ['com.example.*'], patterns: [{ type: [ORDER, TRAILER] }] })
      const stream = collect(bed.client(token), { name: 'full', pattern: { type: [ORDER] }, start: 'beginning' })
      const journal = join(directory, 'journal')
      const told: Told[] = []
      let going = true
      let next = 0
      const publisher = async (): Promise<void> => {
        while (going) {
          const number = next++
          const one = event(ORDER, { number, amount: 1, note: 'x'.repeat(2_000) }, { id: `full-${number}` })
          const { status, body } = await bed.publish(one, token).catch(() => ({ status: 0, body: null }))
          if (status === 200) appendFileSync(journal, `${one['id']}\n`)
          else told.push({ status, code: String(body?.code) })
          await Bun.sleep(5)
        }
      }
      const publishing = Promise.all(Array.from({ length: PUBLISHERS }, publisher))
      const acknowledged = (): string[] => readFileSync(journal, 'utf8').split('\n').filter(Boolean)
      await eventually('some are acknowledged', () => acknowledged().length > 100)
      const before = told.length
      await filler.fill()
      await eventually('publishers are told', () => told.length > before + 50)
      const payload = await bed.call('POST', '/events', {
        token,
        raw: new Uint8Array(MIB),
        headers: { 'ce-specversion': '1.0', 'ce-type': TRAILER, 'ce-subject': 's', 'content-type': 'video/mp4' },
      })
      // Its row comes before its object.
      expect([payload.status, payload.body.code]).toEqual([507, 'tables-full'])
      expect(payload.headers.get('retry-after')).not.toBeNull()
      const counts = new Map<string, number>()
      for (const { status, code } of told) counts.set(`${status} ${code}`, (counts.get(`${status} ${code}`) ?? 0) + 1)
      console.log(Object.fromEntries(counts))
      for (const { status } of told) expect([507, 503, 429]).toContain(status)
      expect(told.some(({ status, code }) => status === 507 && code === 'log-full')).toBe(true)

      const whileFull = acknowledged().length
      await filler.free()
      await eventually('it goes on without a restart', () => acknowledged().length > whileFull + 200)
      going = false
      await publishing
      const ids = new Set(acknowledged())
      await eventually(
        'the subscriber has all',
        () => {
          const got = new Set(stream.deliveries.map(({ event: { id } }) => id))
          return [...ids].every((id) => got.has(id))
        },
        60_000,
      )
      const store = bed.store()
      const onLog = new Set<string>()
      for (let from = 0; ; ) {
        const records = await store.log.read({ topic: ORDERS_TOPIC, from, max: 5_000 })
        for (const { value } of records) onLog.add((JSON.parse(Buffer.from(value).toString()) as { id: string }).id)
        const last = records.at(-1)
        if (!last) break
        from = last.offset + 1
      }
      await store.close()
      expect([...ids].filter((id) => !onLog.has(id))).toEqual([])
      expect(await bed.deadLetters('max=10')).toEqual([])
      await stream.stop()
    } finally {
      await filler.free()
      await up.stop()
    }
  },
  90_000,
)
