import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { findBoxes } from './boxes.ts'
import { type Sniffed, sniff } from './sniff.ts'
import { type Clips, createClips, FAST, testPicture, testTone } from './testing.ts'

// ffmpeg shares the machine with whatever else is tested.
setDefaultTimeout(60_000)

let clips: Clips
let mp4: Uint8Array
let fastStart: Uint8Array
let mkv: Uint8Array
beforeAll(async () => {
  clips = await createClips()
  const made = [...testPicture({ seconds: 1 }), ...testTone(1), ...FAST]
  mp4 = await readFile(await clips.make('a.mp4', ...made))
  fastStart = await readFile(await clips.make('b.mp4', ...made, '-movflags', '+faststart'))
  mkv = await readFile(await clips.make('a.mkv', ...made))
})
afterAll(() => clips.remove())

const look = (bytes: Uint8Array): Promise<Sniffed> =>
  sniff(async (offset, length) => bytes.subarray(offset, offset + length), bytes.length)
const refusedAs = async (bytes: Uint8Array | string, code: string): Promise<void> => {
  const found = await look(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
  if (found.ok) throw new Error(`expected ${code}, got ${found.container}`)
  expect(found.code).toBe(code)
  expect(found.reason).toContain(code === 'source-truncated' ? 'Upload the whole file' : 'xpected')
}

test('films are known by their content', async () => {
  expect(await look(mp4)).toEqual({ ok: true, container: 'mov' })
  expect(await look(fastStart)).toEqual({ ok: true, container: 'mov' })
  expect(await look(mkv)).toEqual({ ok: true, container: 'matroska' })
})

test.each<[string, string, string]>([
  ['nothing', '', 'source-empty'],
  ['text', 'This is no film.\n', 'source-text'],
  ['a playlist', '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n', 'source-playlist'],
  ['a concat script', 'ffconcat version 1.0\nfile /etc/passwd\n', 'source-script'],
  ['a concat script without its header', "file '/etc/passwd'\n", 'source-script'],
  ['a picture', '\u0089PNG\r\n\u001a\n\u0000\u0000\u0000\u000dIHDR', 'source-image'],
  ['noise', '\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0000', 'source-unknown'],
])('refused: %s', (_, text, code) => refusedAs(Buffer.from(text, 'latin1'), code))

test('refused: cut off, wherever it is cut', async () => {
  await refusedAs(mp4.subarray(0, mp4.length >> 1), 'source-truncated')
  await refusedAs(fastStart.subarray(0, fastStart.length - 100), 'source-truncated')
  await refusedAs(mkv.subarray(0, mkv.length - 100), 'source-truncated')
  const [moov] = findBoxes(mp4, 'moov')
  await refusedAs(mp4.subarray(0, moov?.start), 'source-truncated')
})

test('refused: encrypted', async () => {
  const encrypted = Uint8Array.from(fastStart)
  const [stsd] = findBoxes(encrypted, 'moov/trak/mdia/minf/stbl/stsd')
  encrypted.set(Buffer.from('encv'), (stsd?.content ?? 0) + 12)
  await refusedAs(encrypted, 'source-encrypted')
})

test('no bytes, however damaged, throw or hang', async () => {
  for (let at = 0; at < 400; at++) {
    const damaged = Uint8Array.from(at % 2 === 0 ? fastStart : mkv)
    for (let flips = 0; flips < 8; flips++) damaged[(at * 131 + flips * 17) % 900] = (at * 7 + flips * 31) & 0xff
    await look(damaged)
  }
})
