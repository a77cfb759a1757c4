import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS, faultCode, silentLogger, systemClock } from '../../kernel/index.ts'
import { canMountSmallDisk, mountSmallDisk, smallDiskSkipped } from '../small-disk.ts'
import { syncFile } from './files.ts'
import { openEmbeddedLog } from './index.ts'
import { measureRecord } from './record.ts'
import { type Measured, openTopic, type Topic } from './topic.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
const temporary = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-topic-'))
  closers.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
const group = (...values: string[]): Measured[] =>
  values.map((text) => {
    const record = { key: 'k', value: Buffer.from(text) }
    return { record, sizes: measureRecord(record) }
  })
const read = async (topic: Topic): Promise<string[]> => {
  const texts: string[] = []
  for (let at = 0; at < topic.end(); ) {
    const { records, next, lost } = await topic.read(at, { max: 100, bytesMax: 1_000_000 })
    if (lost) throw new Error(`lost ${JSON.stringify(lost)}`)
    texts.push(...records.map(({ value }) => Buffer.from(value).toString()))
    at = next
  }
  return texts
}

test('a group whose fdatasync failed never happened: not served, its offsets free, its file takes no more writes', async () => {
  const directory = join(temporary(), 't')
  let failing = 0
  const sync = (descriptor: number): Promise<void> =>
    failing-- > 0 ? Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })) : syncFile(descriptor)
  const options = { directory, name: 't', limits: DEFAULT_LIMITS, retentionBytes: null, clock: systemClock }
  const topic = await openTopic({ ...options, logger: silentLogger, sync })
  // The first segment's very first group, too.
  for (const attempt of [0, 1]) {
    failing = 1
    expect(await topic.writeGroup(group('lost', `lost ${attempt}`)).catch(faultCode)).toBe('log-unavailable')
    expect(await topic.writeGroup(group(`kept ${attempt}`))).toEqual([attempt])
  }
  expect(await read(topic)).toEqual(['kept 0', 'kept 1'])
  await topic.close()
  const again = await openTopic({ ...options, logger: silentLogger })
  expect({ records: await read(again), damage: again.damage() }).toEqual({ records: ['kept 0', 'kept 1'], damage: [] })
  expect(await again.writeGroup(group('next'))).toEqual([2])
  await again.close()
})

test.skipIf(!canMountSmallDisk)(
  `a full disk fails the append and only it; with room again the log goes on${smallDiskSkipped}`,
  async () => {
    const { directory, unmount } = mountSmallDisk()
    closers.push(unmount)
    const open = () =>
      openEmbeddedLog({
        directory: join(directory, 'log'),
        limits: DEFAULT_LIMITS,
        logger: silentLogger,
        trimmedTopics: [],
      })
    const log = await open()
    const filler = join(directory, 'filler')
    await log.append('titles', [{ key: 'k', value: Buffer.from('0') }])
    const acknowledged = ['0']
    const { bsize, bavail } = statfsSync(directory)
    await writeFile(filler, Buffer.alloc(bsize * (bavail - 12)))
    let code = ''
    for (let index = 1; code === '' && index < 100; index++) {
      const value = Buffer.alloc(10_000, `${index} `)
      code = await log.append('titles', [{ key: 'k', value }]).then(() => '', faultCode)
      if (code === '') acknowledged.push(value.toString())
    }
    expect(code).toBe('log-full')
    expect(acknowledged.length).toBeGreaterThan(2)
    const texts = async (from: typeof log): Promise<string[]> =>
      (await from.read({ topic: 'titles', from: 0, max: 1_000 })).map(({ value }) => Buffer.from(value).toString())
    expect(await texts(log)).toEqual(acknowledged)
    await unlink(filler)
    const large = 'room'.repeat(100_000)
    expect(await log.append('titles', [{ key: 'k', value: Buffer.from(large) }])).toEqual([acknowledged.length])
    await log.close()
    const again = await open()
    expect(await texts(again)).toEqual([...acknowledged, large])
    expect(again.damage()).toEqual([])
    await again.close()
  },
)
