import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audioSegmentCount, type Plan } from '../../contracts/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { createFfmpeg, type Ffmpeg } from './ffmpeg.ts'
import { type FragmentedFile, parseFragmented } from './fragments.ts'
import { type Planned, plan } from './plan.ts'
import { probe } from './probe.ts'
import { type AudioSpan, audioArguments, audioChunks } from './recipes-audio.ts'
import { type Clips, createClips, FAST, TEST_LADDER, testPicture } from './testing.ts'
import { checkAudioFragment, checkAudioHeader } from './verify.ts'

const signal = new AbortController().signal
setDefaultTimeout(60_000)

let clips: Clips
let ffmpeg: Ffmpeg
beforeAll(async () => {
  clips = await createClips()
  ffmpeg = await createFfmpeg({ limits: DEFAULT_LIMITS, logger: silentLogger })
})
afterAll(() => clips.remove())

const SECONDS = 13
const SINE_HERTZ = 440
const SIGNALS = {
  // Stereo by copying: decoded to one channel it is the very same.
  sine: `aevalsrc='0.5*sin(2*PI*${SINE_HERTZ}*t)':d=${SECONDS}:s=48000`,
  noise: `anoisesrc=d=${SECONDS}:a=0.3:seed=7`,
  chirp: `aevalsrc='0.4*sin(2*PI*(100*t+150*t*t))':d=${SECONDS}`,
}

type Source = Planned & { readonly path: string }

const open = async (name: string, sound: readonly string[]): Promise<Source> => {
  const picture = testPicture({ seconds: SECONDS, size: '64x64' })
  const path = await clips.make(name, ...picture, ...sound, ...FAST, '-bf', '2', '-ac', '2')
  const container = name.endsWith('.mkv') ? 'matroska' : 'mov'
  const probed = await probe(ffmpeg, { path, container, directory: clips.directory, signal })
  const planned = plan(probed, [], { ladder: TEST_LADDER, limits: DEFAULT_LIMITS })
  if (!planned.ok) throw new Error(planned.reason)
  return { ...planned, path }
}

const make = async (source: Source, span: AudioSpan): Promise<FragmentedFile> => {
  const options = audioArguments({ ...source, sourcePath: source.path, span })
  const bytes = await ffmpeg.run({ program: 'ffmpeg', arguments: options, signal, directory: clips.directory })
  const parsed = parseFragmented(bytes)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed
}

/** Makes the track in the parts given, checks each segment against the grid, joins them, and decodes the whole. */
const decodeParts = async (source: Source, spans: readonly AudioSpan[]): Promise<Float32Array> => {
  const parts = await Promise.all(spans.map((span) => make(source, span)))
  const [first] = parts
  if (!first) throw new Error('expected parts')
  for (const [at, { init, track, fragments }] of parts.entries()) {
    const { firstSegment, segments } = spans[at] ?? { firstSegment: 0, segments: 0 }
    expect(Buffer.compare(init, first.init)).toBe(0)
    expect(checkAudioHeader(source.plan, track)).toBeNull()
    expect(fragments.length).toBe(segments)
    const complaints = fragments.map((fragment, index) =>
      checkAudioFragment(source.plan, firstSegment + index, fragment),
    )
    expect(complaints.filter((complaint) => complaint !== null)).toEqual([])
  }
  const path = join(clips.directory, `joined-${spans.length}.mp4`)
  await writeFile(path, Buffer.concat([first.init, ...parts.flatMap(({ fragments }) => fragments.map((f) => f.bytes))]))
  const raw = await ffmpeg.run({
    program: 'ffmpeg',
    arguments: ['-v', 'error', '-i', path, '-f', 'f32le', '-ac', '1', 'pipe:1'],
    signal,
    directory: clips.directory,
  })
  return new Float32Array(Uint8Array.from(raw).buffer)
}

/** Segments 3, 4 and 5 begin a part: within the first seconds, where nothing is sought, and behind a seek. */
const SEAMS = [3, 4, 5]
const spansOf = (source: Source): { one: AudioSpan[]; many: AudioSpan[]; seams: number[] } => {
  const { audio } = source.plan
  if (!audio) throw new Error('expected sound')
  const ends = [...SEAMS, audioSegmentCount(audio)]
  const many = [0, ...SEAMS].map((firstSegment, at) => ({ firstSegment, segments: (ends[at] ?? 0) - firstSegment }))
  const seams = SEAMS.map((segment) => segment * audio.framesPerSegment * audio.samplesPerFrame)
  return { one: [{ firstSegment: 0, segments: audioSegmentCount(audio) }], many, seams }
}

const LAG_MAX = 64
const CORRELATED_SAMPLES = 8_000

/** By how many samples `other` is behind `one` from `from` on: where the two are most alike. */
const lagBetween = (one: Float32Array, other: Float32Array, from: number): number => {
  let best = { lag: Number.NaN, likeness: Number.NEGATIVE_INFINITY }
  for (let lag = -LAG_MAX; lag <= LAG_MAX; lag++) {
    let product = 0
    for (let at = from; at < from + CORRELATED_SAMPLES; at++) product += (one[at] ?? 0) * (other[at + lag] ?? 0)
    if (product > best.likeness) best = { lag, likeness: product }
  }
  return best.lag
}

const sounds: readonly [string, keyof typeof SIGNALS, readonly string[]][] = [
  ['aac-44100.mp4', 'noise', ['-c:a', 'aac', '-ar', '44100']],
  ['pcm-44100.mov', 'noise', ['-c:a', 'pcm_s16le', '-ar', '44100']],
  ['aac-44100.mkv', 'noise', ['-c:a', 'aac', '-ar', '44100']],
  ['aac-48000.mkv', 'noise', ['-c:a', 'aac', '-ar', '48000']],
  ['flac-44100.mkv', 'noise', ['-c:a', 'flac', '-ar', '44100']],
  ['ac3-44100.mkv', 'chirp', ['-c:a', 'ac3', '-ar', '44100']],
]
test.each(sounds)('sound in parts: %s is on the grid, not one sample off', async (name, signalName, codec) => {
  const source = await open(name, ['-f', 'lavfi', '-i', SIGNALS[signalName], ...codec])
  const { one, many, seams } = spansOf(source)
  const whole = await decodeParts(source, one)
  const joined = await decodeParts(source, many)
  expect(joined.length).toBe(whole.length)
  expect(seams.map((seam) => lagBetween(whole, joined, seam + 4_096))).toEqual(seams.map(() => 0))
  expect(seams.map((seam) => lagBetween(whole, joined, seam - 4_096))).toEqual(seams.map(() => 0))
})

test('no click at a seam: a sine goes on as if made by one process', async () => {
  const source = await open('sine.mp4', ['-f', 'lavfi', '-i', SIGNALS.sine, '-c:a', 'pcm_s16le', '-f', 'mov'])
  const { one, many, seams } = spansOf(source)
  const whole = await decodeParts(source, one)
  const joined = await decodeParts(source, many)
  expect(joined.length).toBe(whole.length)
  const jumpAt = (samples: Float32Array, from: number, to: number): number => {
    let jump = 0
    for (let at = from; at < to; at++) jump = Math.max(jump, Math.abs((samples[at] ?? 0) - (samples[at - 1] ?? 0)))
    return jump
  }
  const slope = (0.5 * 2 * Math.PI * SINE_HERTZ) / 48_000
  for (const seam of seams) {
    expect(jumpAt(joined, seam - 2_048, seam + 2_048)).toBeLessThan(slope * 1.1)
    let apart = 0
    for (let at = seam - 2_048; at < seam + 2_048; at++) {
      apart = Math.max(apart, Math.abs((joined[at] ?? 0) - (whole[at] ?? 0)))
    }
    expect(apart).toBeLessThan(0.02)
  }
})

test('a part behind the end of the sound is silence on the grid', async () => {
  const source = await open('short-sound.mp4', ['-f', 'lavfi', '-i', 'sine=duration=3', '-c:a', 'aac'])
  const { many, seams } = spansOf(source)
  const joined = await decodeParts(source, many)
  expect(joined.slice(seams[1]).every((sample) => Math.abs(sample) < 1e-4)).toBe(true)
  expect(joined.length).toBe(Math.ceil((SECONDS * 48_000) / 1024) * 1024)
})

test('a part gives the same bytes each time', async () => {
  const source = await open('again.mp4', ['-f', 'lavfi', '-i', SIGNALS.chirp, '-c:a', 'aac'])
  const span = { firstSegment: 5, segments: 2 }
  const [first, second] = await Promise.all([make(source, span), make(source, span)])
  expect(first.fragments).toEqual(second.fragments)
})

test('parts tile the track, whatever its length, and are some two minutes long', () => {
  for (let segments = 1; segments < 4_000; segments += 7) {
    const made = { audio: { samples: segments * 94 * 1024, samplesPerFrame: 1024, framesPerSegment: 94 } } as Plan
    const parts = audioChunks(made)
    let next = 0
    for (const part of parts) {
      expect(part.firstSegment).toBe(next)
      next += part.segments
    }
    expect(next).toBe(segments)
    expect(Math.max(...parts.map((part) => part.segments))).toBeLessThanOrEqual(90)
  }
})
