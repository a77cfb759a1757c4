import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan, Rung } from '../../contracts/index.ts'
import { DEFAULT_LIMITS, silentLogger } from '../../kernel/index.ts'
import { createFfmpeg, type Ffmpeg } from './ffmpeg.ts'
import { type FragmentedFile, parseFragmented } from './fragments.ts'
import { type Planned, plan } from './plan.ts'
import { probe } from './probe.ts'
import { type Chunk, chunkCount, chunkOf, decodeArguments, videoArguments } from './recipes.ts'
import { audioArguments } from './recipes-audio.ts'
import { type Clips, createClips, FAST, testPicture, testTone } from './testing.ts'
import { checkAudioFragment, checkAudioHeader, checkVideoFragments, checkVideoHeader } from './verify.ts'

const LADDER: readonly Rung[] = [
  { height: 144, bitrateBps: 200_000 },
  { height: 180, bitrateBps: 300_000 },
]
const signal = new AbortController().signal
// ffmpeg shares the machine with whatever else is tested.
setDefaultTimeout(60_000)

let clips: Clips
let ffmpeg: Ffmpeg
beforeAll(async () => {
  clips = await createClips()
  ffmpeg = await createFfmpeg({ limits: DEFAULT_LIMITS, logger: silentLogger })
})
afterAll(() => clips.remove())

const run = (program: 'ffmpeg' | 'ffprobe', options: readonly string[]): Promise<Uint8Array> =>
  ffmpeg.run({ program, arguments: options, signal, directory: clips.directory })

type Source = Planned & { readonly path: string }

const open = async (name: string, options: readonly string[]): Promise<Source> => {
  const path = await clips.make(name, ...options)
  const container = name.endsWith('.mp4') || name.endsWith('.mov') ? 'mov' : 'matroska'
  const probed = await probe(ffmpeg, { path, container, directory: clips.directory, signal })
  const planned = plan(probed, [], { ladder: LADDER, limits: DEFAULT_LIMITS })
  if (!planned.ok) throw new Error(planned.reason)
  return { ...planned, path }
}

/** One hash per picture, before encoding. */
const hashes = async (source: Source, chunk: Chunk): Promise<readonly string[]> => {
  const [rendition] = source.plan.renditions
  if (!rendition) throw new Error('expected a rendition')
  const renditions = [{ rendition, path: 'unused' }]
  const all = videoArguments({ ...source, sourcePath: source.path, chunk, renditions, threads: 1 })
  const options = [...all.slice(0, all.indexOf('-map') + 2), '-f', 'framemd5', 'pipe:1']
  const lines = Buffer.from(await run('ffmpeg', options))
    .toString()
    .split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(',').at(-1) ?? '')
}

/** Chunks of one segment each show exactly the pictures a single run would. */
const checkPictures = async (source: Source): Promise<void> => {
  const video = { ...source.plan.video, segmentsPerChunk: 1 }
  const fine: Plan = { ...source.plan, video }
  const whole = await hashes(source, { ...chunkOf(fine, 0), frames: video.frames })
  const parts = await Promise.all(
    Array.from({ length: chunkCount(fine) }, (_, index) => hashes(source, chunkOf(fine, index))),
  )
  expect(whole.length).toBe(video.frames)
  expect(parts.flat()).toEqual([...whole])
}

const encode = async (source: Source, index: number, to: string): Promise<readonly string[]> => {
  const files = source.plan.renditions.map((rendition) => ({
    rendition,
    path: join(clips.directory, `${to}-${rendition.id}-${index}.mp4`),
  }))
  const chunk = chunkOf(source.plan, index)
  await run('ffmpeg', videoArguments({ ...source, sourcePath: source.path, chunk, renditions: files, threads: 1 }))
  return files.map(({ path }) => path)
}

const parse = (bytes: Uint8Array): FragmentedFile => {
  const parsed = parseFragmented(bytes)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed
}

const checkSound = async (source: Source): Promise<Uint8Array> => {
  const span = { firstSegment: 0, segments: Number.POSITIVE_INFINITY }
  const bytes = await run('ffmpeg', audioArguments({ ...source, sourcePath: source.path, span }))
  const { track, fragments } = parse(bytes)
  expect(checkAudioHeader(source.plan, track)).toBeNull()
  expect(fragments.map((fragment, index) => checkAudioFragment(source.plan, index, fragment))).toEqual(
    fragments.map(() => null),
  )
  return bytes
}

const sources: readonly [name: string, options: readonly string[], expected: { frames?: number; height?: number }][] = [
  ['24.mp4', [...testPicture({ rate: '24', seconds: 5 }), ...FAST, '-bf', '2'], { frames: 120 }],
  ['2997.mkv', [...testPicture({ rate: '30000/1001', seconds: 5 }), ...FAST, '-bf', '3'], { frames: 150 }],
  ['60.mp4', [...testPicture({ rate: '60', seconds: 3 }), ...FAST], { frames: 180 }],
  ['120.mp4', [...testPicture({ rate: '120', seconds: 2.5 }), ...FAST], { frames: 150 }],
  [
    'variable.mp4',
    [
      ...testPicture({ seconds: 5 }),
      '-vf',
      "setpts='(N+if(gt(mod(N,30),20),12,0)+0.3*mod(N,3))/25/TB'",
      '-fps_mode',
      'vfr',
      ...FAST,
    ],
    {},
  ],
  [
    'fragmented.mp4',
    [...testPicture({ seconds: 5 }), ...FAST, '-bf', '0', '-movflags', 'frag_keyframe+empty_moov'],
    { frames: 125 },
  ],
  ['unindexed.mkv', [...testPicture({ seconds: 5 }), ...FAST, '-live', '1'], { frames: 125 }],
  [
    'odd.mp4',
    [
      ...testPicture({ seconds: 2.6, size: '255x147' }),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv444p',
    ],
    { height: 144 },
  ],
  [
    'ten-bit.mp4',
    [...testPicture({ seconds: 2.6 }), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le'],
    { frames: 65 },
  ],
  [
    'interlaced.mp4',
    [
      ...testPicture({ rate: '50', seconds: 3 }),
      '-vf',
      'tinterlace=interleave_top,fieldorder=tff',
      ...FAST,
      '-flags',
      '+ildct+ilme',
      '-x264opts',
      'tff=1',
    ],
    { frames: 75 },
  ],
  [
    'bright.mkv',
    [
      ...testPicture({ seconds: 2.4 }),
      '-c:v',
      'ffv1',
      '-pix_fmt',
      'yuv420p10le',
      '-color_trc',
      'arib-std-b67',
      '-color_primaries',
      'bt2020',
      '-colorspace',
      'bt2020nc',
      '-color_range',
      'tv',
    ],
    { frames: 60 },
  ],
  ['short.mp4', [...testPicture({ seconds: 0.04 }), ...FAST], { frames: 1 }],
]
test.each(sources)('chunks of %s show just the pictures of the film', async (name, options, expected) => {
  const source = await open(name, options)
  if (expected.frames) expect(source.plan.video.frames).toBe(expected.frames)
  if (expected.height) expect(source.plan.renditions.at(-1)?.height).toBe(expected.height)
  await checkPictures(source)
})

test('a rotated film is upright', async () => {
  const flat = await clips.make('flat.mp4', ...testPicture({ seconds: 1 }), ...FAST)
  const source = await open('rotated.mp4', ['-display_rotation', '90', '-i', flat, '-c', 'copy']).catch(() =>
    // ffmpeg before 6 has no such option and writes the matrix from a tag.
    open('rotated.mov', ['-i', flat, '-c', 'copy', '-metadata:s:v:0', 'rotate=90']),
  )
  expect(source.plan.renditions.at(-1)).toMatchObject({ width: 102, height: 180 })
  const [path] = await encode(source, 0, 'rotated')
  expect(parse(await readFile(path ?? '')).track).toMatchObject({ width: 80, height: 144 })
})

test('chunks encoded side by side are one film: one init, no gap, no warning, every frame', async () => {
  const source = await open('film.mp4', [
    ...testPicture({ rate: '30000/1001', seconds: 11 }),
    ...testTone(11, 2),
    ...FAST,
    '-bf',
    '2',
  ])
  const { plan: made } = source
  const chunks = await Promise.all(
    Array.from({ length: chunkCount(made) }, (_, index) => encode(source, index, 'film')),
  )
  expect(chunks.length).toBe(2)
  for (const [at, rendition] of made.renditions.entries()) {
    const files = await Promise.all(chunks.map(async (paths) => parse(await readFile(paths[at] ?? ''))))
    const [first] = files
    if (!first) throw new Error('expected chunks')
    for (const [index, file] of files.entries()) {
      const { firstSegment, segments } = chunkOf(made, index)
      expect(Buffer.compare(file.init, first.init)).toBe(0)
      expect(checkVideoHeader(made, rendition, file.track)).toBeNull()
      expect(checkVideoFragments(made, firstSegment, segments, file.fragments)).toBeNull()
    }
    const whole = join(clips.directory, `whole-${rendition.id}.mp4`)
    await writeFile(
      whole,
      Buffer.concat([first.init, ...files.flatMap(({ fragments }) => fragments.map(({ bytes }) => bytes))]),
    )
    const { stderr } = await clips.run('ffmpeg', '-v', 'warning', '-xerror', '-i', whole, '-f', 'null', '-')
    expect(stderr).toBe('')
    const counted = await clips.run(
      'ffprobe',
      '-v',
      'warning',
      '-count_frames',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      whole,
    )
    expect(Number(counted.stdout)).toBe(made.video.frames)
  }
  await checkSound(source)
})

test('a retry gives the same bytes', async () => {
  const source = await open('again.mp4', [...testPicture({ seconds: 3 }), ...testTone(3, 2), ...FAST])
  const [first] = await encode(source, 0, 'one')
  const [second] = await encode(source, 0, 'two')
  expect(Buffer.compare(await readFile(first ?? ''), await readFile(second ?? ''))).toBe(0)
  expect(Buffer.compare(await checkSound(source), await checkSound(source))).toBe(0)
})

const tones: readonly [string, readonly string[]][] = [
  ['mono.mp4', testTone(3)],
  ['surround.mp4', testTone(3, 6)],
  ['shorter.mp4', testTone(1)],
  ['longer.mp4', testTone(5)],
  ['late.mp4', ['-itsoffset', '1', ...testTone(2)]],
]
test.each(tones)('the sound of %s starts and ends with the picture', async (name, tone) => {
  const source = await open(name, [...testPicture({ seconds: 3 }), ...tone, ...FAST])
  const { fragments } = parse(await checkSound(source))
  const seconds = fragments.reduce((sum, { durationTicks }) => sum + durationTicks, 0) / 48_000
  expect(Math.abs(seconds - source.plan.durationMs / 1000)).toBeLessThan(1024 / 48_000)
})

test('late sound stays late', async () => {
  const source = await open('late-sound.mkv', [
    ...testPicture({ seconds: 3 }),
    '-itsoffset',
    '1',
    ...testTone(2),
    ...FAST,
  ])
  await writeFile(join(clips.directory, 'late-out.mp4'), await checkSound(source))
  const { stderr } = await clips.run(
    'ffmpeg',
    '-i',
    join(clips.directory, 'late-out.mp4'),
    '-af',
    'silencedetect=n=-50dB:d=0.5',
    '-f',
    'null',
    '-',
  )
  const end = /silence_end: ([\d.]+)/.exec(stderr)
  expect(Number(end?.[1])).toBeCloseTo(1, 1)
})

test('a damaged output does not pass', async () => {
  const source = await open('whole.mp4', [...testPicture({ seconds: 3 }), ...FAST])
  const [path = ''] = await encode(source, 0, 'damaged')
  const bytes = await readFile(path)
  expect(parseFragmented(bytes.subarray(0, bytes.length - 9)).ok).toBe(false)
  const { fragments } = parse(bytes)
  const [first, second] = fragments
  if (!first || !second) throw new Error('expected two segments')
  expect(checkVideoFragments(source.plan, 0, 2, [first])).toContain('expected 2 segments')
  expect(checkVideoFragments(source.plan, 0, 2, [second, first])).toContain('starts at')
  expect(checkVideoFragments(source.plan, 0, 2, [{ ...first, startsWithKeyframe: false }, second])).toContain(
    'keyframe',
  )
  const middle = Uint8Array.from(bytes)
  middle.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 600)
  await writeFile(path, middle)
  expect(run('ffmpeg', decodeArguments([path]))).rejects.toThrow(/ended with/)
})
