import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultCode } from '../../kernel/index.ts'
import type { ObjectsPort } from './port.ts'

/** What every adapter of the objects' port promises. */
export function runObjectsContract(
  name: string,
  open: () => Promise<{ readonly objects: ObjectsPort; readonly close: () => Promise<void> }>,
): void {
  describe(`objects contract: ${name}`, () => {
    let objects: ObjectsPort
    let close: () => Promise<void>
    let directory: string
    beforeAll(async () => {
      const opened = await open()
      objects = opened.objects
      close = opened.close
      directory = mkdtempSync(join(tmpdir(), 'tentpole-objects-contract-'))
    })
    afterAll(async () => {
      await close()
      rmSync(directory, { recursive: true, force: true })
    })
    const text = async (key: string, range?: { start: number; end?: number }): Promise<string | null> => {
      const bytes = await objects.read(key, range)
      return bytes && Buffer.from(bytes).toString()
    }
    const streamed = async (key: string, range?: { start: number; end?: number }): Promise<string | null> => {
      const stream = await objects.stream(key, range)
      return stream && new Response(stream).text()
    }

    test('an object comes back whole, by parts, as a stream', async () => {
      const put = await objects.put('a/one', Buffer.from('0123456789'))
      expect(put).toMatchObject({ key: 'a/one', sizeBytes: 10, created: true })
      expect(await objects.head('a/one')).toEqual({ key: 'a/one', sizeBytes: 10, etag: put.etag })
      const ranges = [undefined, { start: 3 }, { start: 3, end: 5 }, { start: 9, end: 99 }, { start: 0, end: 10 }]
      for (const range of ranges) {
        const expected = '0123456789'.slice(range?.start, range?.end)
        expect([await text('a/one', range), await streamed('a/one', range)]).toEqual([expected, expected])
      }
      for (const range of [
        { start: 10 },
        { start: 50, end: 60 },
        { start: 5, end: 5 },
        { start: -1 },
        { start: 0.5 },
      ]) {
        expect(await text('a/one', range).catch(faultCode)).toBe('range')
        expect(await streamed('a/one', range).catch(faultCode)).toBe('range')
      }
    })

    test('what is not there is null', async () => {
      expect(await objects.head('nothing')).toBeNull()
      expect(await objects.read('nothing')).toBeNull()
      expect(await objects.read('nothing', { start: 5 })).toBeNull()
      expect(await objects.stream('nothing')).toBeNull()
      expect(await objects.toFile('nothing', join(directory, 'nothing'))).toBe(false)
      await objects.delete('nothing')
    })

    test('a large stream and an empty body', async () => {
      const chunks = Array.from({ length: 40 }, (_, index) => Buffer.alloc(70_001, index))
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          const chunk = chunks.shift()
          if (chunk) controller.enqueue(chunk)
          else controller.close()
        },
      })
      const whole = Buffer.concat(chunks)
      expect(await objects.put('large', body)).toMatchObject({ sizeBytes: whole.byteLength, created: true })
      expect(whole.equals((await objects.read('large')) ?? Buffer.alloc(0))).toBe(true)
      const parts = await new Response((await objects.stream('large', { start: 123_456 })) ?? '').bytes()
      expect(whole.subarray(123_456).equals(parts)).toBe(true)
      expect(await objects.put('empty', new Uint8Array(0))).toMatchObject({ sizeBytes: 0, created: true })
      expect(await text('empty')).toBe('')
      expect(await text('empty', { start: 0 }).catch(faultCode)).toBe('range')
    })

    test('the first put wins, however many come at once; the others are told', async () => {
      const puts = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          objects.put('race/one', Buffer.from(`body ${index}`.padEnd(index + 10))),
        ),
      )
      const winners = puts.flatMap(({ created }, index) => (created ? [index] : []))
      expect(winners).toHaveLength(1)
      expect((await text('race/one'))?.trim()).toBe(`body ${winners[0]}`)
      expect(new Set(puts.map(({ etag }) => etag)).size).toBe(1)
      const late = await objects.put('race/one', Buffer.from('late'))
      expect(late).toMatchObject({ created: false, etag: puts[0]?.etag })
      expect(late.sizeBytes).not.toBe(4)
    })

    test('a stream that fails leaves nothing', async () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Buffer.from('half')),
        pull: () => Promise.reject(new Error('the uploader went away')),
      })
      expect(await objects.put('failed/one', body).then(() => 'stored', faultCode)).not.toBe('stored')
      expect(await objects.head('failed/one')).toBeNull()
      expect(await objects.list('failed/')).toEqual([])
      expect(await objects.put('failed/one', Buffer.from('whole'))).toMatchObject({ created: true })
    })

    test('files come in by copy and by move, and go out', async () => {
      const source = join(directory, 'source')
      writeFileSync(source, 'a film')
      expect(await objects.putFile('files/copied', source)).toMatchObject({ sizeBytes: 6, created: true })
      expect(readFileSync(source, 'utf8')).toBe('a film')
      writeFileSync(source, 'changed afterwards')
      expect(await text('files/copied')).toBe('a film')
      expect(await objects.putFile('files/copied', source, { move: true })).toMatchObject({ created: false })
      expect(await objects.putFile('files/moved', source, { move: true })).toMatchObject({
        sizeBytes: 18,
        created: true,
      })
      expect(await text('files/moved')).toBe('changed afterwards')
      const target = join(directory, 'target')
      for (const expected of ['a film', 'a film', 'changed afterwards']) {
        expect(await objects.toFile(expected === 'a film' ? 'files/copied' : 'files/moved', target)).toBe(true)
        expect(readFileSync(target, 'utf8')).toBe(expected)
      }
      const missing = objects.putFile('files/missing', join(directory, 'missing'), { move: true })
      expect(await missing.then(() => 'stored', faultCode)).not.toBe('stored')
    })

    test('an etag stays, and another object under the key has another', async () => {
      const etags = new Set<string>()
      for (let index = 0; index < 5; index++) {
        const { etag } = await objects.put('again', Buffer.from('same'))
        expect((await objects.head('again'))?.etag).toBe(etag)
        etags.add(etag)
        await objects.delete('again')
        expect(await objects.head('again')).toBeNull()
      }
      expect(etags.size).toBe(5)
    })

    test('keys are listed in their order, by prefix, in pages', async () => {
      const keys = ['l/a', 'l/a-b', 'l/a.c', 'l/a/b', 'l/a/b/c', 'l/a0', 'l/b/1', 'l/b/10', 'l/b/2', 'm/x']
      for (const key of [...keys].reverse()) await objects.put(key, Buffer.from(key))
      const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1))
      const inL = sorted.filter((key) => key.startsWith('l/'))
      expect(await objects.list('l/')).toEqual(inL)
      expect(await objects.list('l/a')).toEqual(inL.filter((key) => key.startsWith('l/a')))
      expect(await objects.list('l/b/1')).toEqual(['l/b/1', 'l/b/10'])
      expect(await objects.list('zzz')).toEqual([])
      const paged: string[] = []
      for (;;) {
        const page = await objects.list('l/', { max: 2, after: paged.at(-1) ?? '' })
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(2)
        paged.push(...page)
      }
      expect(paged).toEqual(inL)
      await objects.delete('l/a/b')
      expect(await objects.list('l/a/')).toEqual(['l/a/b/c'])
    })

    test('a key that could lead elsewhere is refused by everything', async () => {
      const bad = [
        '',
        '/',
        '/etc/passwd',
        '../up',
        'a/../b',
        'a/./b',
        'a//b',
        'a/',
        'ü',
        'a b',
        'a\0b',
        'a\\b',
        'x'.repeat(513),
      ]
      for (const key of bad) {
        const calls: readonly (() => Promise<unknown>)[] = [
          async () => objects.put(key, Buffer.from('x')),
          async () => objects.putFile(key, join(directory, 'source')),
          async () => objects.head(key),
          async () => objects.read(key),
          async () => objects.stream(key),
          async () => objects.toFile(key, join(directory, 'out')),
          async () => objects.delete(key),
        ]
        for (const call of calls) expect(await call().catch(faultCode)).toBe('key-invalid')
      }
    })

    test('puts and deletes of neighbours at once do not get in each other’s way', async () => {
      for (let round = 0; round < 10; round++) {
        await objects.put('busy/deep/one', Buffer.from('1'))
        await Promise.all([
          objects.delete('busy/deep/one'),
          objects.put('busy/deep/two', Buffer.from('2')),
          objects.put('busy/deep/three', Buffer.from('3')),
        ])
        expect(await objects.list('busy/')).toEqual(['busy/deep/three', 'busy/deep/two'])
        await Promise.all([objects.delete('busy/deep/two'), objects.delete('busy/deep/three')])
      }
    })
  })
}
