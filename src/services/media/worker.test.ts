import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { spawn } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { audioSegmentCount, videoSegmentCount } from '../../contracts/index.ts'
import { createStoreHandler } from '../../engines/store/index.ts'
import { DEFAULT_LIMITS, Fault, type Limits, silentLogger } from '../../kernel/index.ts'
import { createWireServer } from '../../wire/index.ts'
import { createFfmpeg, type Ffmpeg, type FfmpegRun } from './ffmpeg.ts'
import { createMediaWorker, type MediaWorker } from './index.ts'
import { type Clips, createClips, createPlatform, FAST, type Platform, testPicture, testTone } from './testing.ts'

// ffmpeg shares the machine with whatever else is tested.
setDefaultTimeout(90_000)

let clips: Clips
let ffmpeg: Ffmpeg
let film: string
/** Five chunks of pictures. */
let longer: string
beforeAll(async () => {
  clips = await createClips()
  ffmpeg = await createFfmpeg({ limits: DEFAULT_LIMITS, logger: silentLogger })
  film = await clips.make('film.mp4', ...testPicture({ seconds: 10 }), ...testTone(10, 2), ...FAST)
  longer = await clips.make('longer.mp4', '-stream_loop', '3', '-i', film, '-c', 'copy')
})
afterAll(() => clips.remove())

const startWorker = (
  platform: Platform,
  options: { owner?: string; limits?: Partial<Limits>; ffmpeg?: Ffmpeg } = {},
): Promise<MediaWorker> =>
  createMediaWorker({
    tables: platform.tables,
    objects: platform.objects,
    scratchDirectory: join(platform.directory, 'scratch'),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    logger: silentLogger,
    owner: options.owner ?? 'worker-0',
    concurrency: 2,
    ffmpeg: options.ffmpeg ?? ffmpeg,
  })

const withPlatform = async (use: (platform: Platform) => Promise<void>): Promise<void> => {
  const platform = await createPlatform()
  try {
    await use(platform)
  } finally {
    await platform.close()
  }
}

const ended = (platform: Platform, titleId: string): boolean =>
  platform.of(titleId, 'published').length + platform.of(titleId, 'failed').length > 0

const keysOf = (platform: Platform, titleId: string): Promise<readonly string[]> =>
  platform.objects.list(`titles/${titleId}/`)

/** Every track of a published title, put together from what the events name, decodes without a word and is complete. */
const checkPublished = async (platform: Platform, titleId: string): Promise<void> => {
  const [planned] = platform.of(titleId, 'planned')
  if (planned?.type !== 'tentpole.title.planned.v1') throw new Error('expected a plan')
  const { plan } = planned.data
  const expected = new Map(plan.renditions.map(({ id }) => [id, videoSegmentCount(plan.video)]))
  if (plan.audio) expected.set('a0', audioSegmentCount(plan.audio))
  for (const [track, count] of expected) {
    const keys = new Map<number, string>()
    const inits = new Set<string>()
    for (const event of platform.of(titleId, 'segments')) {
      if (event.type !== 'tentpole.title.segments.v1' || event.data.track !== track) continue
      inits.add(event.data.init.objectKey)
      for (const { index, objectKey } of event.data.segments) keys.set(index, objectKey)
    }
    expect([track, keys.size, inits.size]).toEqual([track, count, 1])
    const inOrder = [...inits, ...Array.from({ length: count }, (_, index) => keys.get(index) ?? '')]
    const parts = await Promise.all(inOrder.map((key) => platform.objects.read(key)))
    const path = join(clips.directory, `${titleId}-${track}.mp4`)
    await writeFile(path, Buffer.concat(parts.map((part) => part ?? new Uint8Array())))
    const { stderr } = await clips.run('ffmpeg', '-v', 'warning', '-xerror', '-i', path, '-f', 'null', '-')
    expect(stderr).toBe('')
  }
}

test('a film with captions of both kinds becomes a title; playable comes first; nothing superfluous is left', () =>
  withPlatform(async (platform) => {
    const srt = join(clips.directory, 'c.srt')
    await writeFile(srt, '1\n00:00:01,000 --> 00:00:02,000\nHello\n')
    const source = await clips.make(
      'captioned.mp4',
      '-i',
      film,
      '-i',
      srt,
      '-c:v',
      'copy',
      '-c:a',
      'copy',
      '-c:s',
      'mov_text',
      '-map',
      '0',
      '-map',
      '1',
      '-metadata:s:s:0',
      'language=deu',
    )
    const worker = await startWorker(platform)
    const latin = Buffer.from('1\n00:00:03,000 --> 00:00:04,000\nna\u00efve\n', 'latin1')
    const id = await platform.upload(source, [{ fileName: 'en.srt', bytes: latin }])
    await platform.until('the title to end', () => ended(platform, id))
    expect(platform.of(id, 'failed')).toEqual([])
    await checkPublished(platform, id)
    const types = platform.events.filter(({ subject }) => subject === id).map(({ type }) => type)
    expect(types.filter((type) => type.includes('playable')).length).toBe(1)
    expect(types.indexOf('tentpole.title.playable.v1')).toBeLessThan(types.indexOf('tentpole.title.published.v1'))
    expect(types.at(-1)).toBe('tentpole.title.published.v1')
    const texts = await Promise.all(
      platform.of(id, 'captions').map(async (event) => {
        if (event.type !== 'tentpole.title.captions.v1') return ''
        return `${event.data.track} ${Buffer.from((await platform.objects.read(event.data.objectKey)) ?? []).toString()}`
      }),
    )
    expect(texts.sort()).toEqual([
      'c0 WEBVTT\n\n00:00:03.000 --> 00:00:04.000\nnaïve\n',
      'c1 WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n',
    ])
    const [poster] = platform.of(id, 'poster')
    if (poster?.type !== 'tentpole.title.poster.v1') throw new Error('expected a poster')
    expect([...((await platform.objects.read(poster.data.objectKey)) ?? []).slice(0, 3)]).toEqual([0xff, 0xd8, 0xff])
    const named = new Set(JSON.stringify(platform.events).match(/titles\/[\w/.-]+/g))
    expect((await keysOf(platform, id)).filter((key) => !key.includes('/source/') && !named.has(key))).toEqual([])
    await worker.close()
    expect(await readdir(join(platform.directory, 'scratch'))).toEqual([])
  }))

test('hostile and broken files are refused with a reason, leave nothing behind, and cost nobody else', () =>
  withPlatform(async (platform) => {
    const bytes = await readFile(film)
    const secret = join(clips.directory, 'secret.mp4')
    await writeFile(secret, bytes)
    const write = async (name: string, content: string | Uint8Array): Promise<string> => {
      const path = join(clips.directory, name)
      await writeFile(path, content)
      return path
    }
    const fastStart = await clips.make('fast.mp4', '-i', film, '-c', 'copy', '-movflags', '+faststart')
    const whole = await readFile(fastStart)
    const garbled = Uint8Array.from(whole)
    const moov = Buffer.from(whole).indexOf('moov')
    garbled.fill(0x5a, moov + 12, moov + 2_000)
    const manyStreams = await clips.make(
      'many.mp4',
      ...testTone(1),
      ...Array.from({ length: 70 }, () => ['-map', '0']).flat(),
      '-c:a',
      'aac',
    )
    const corpus: readonly (readonly [string, string])[] = [
      ['source-text', await write('words.mp4', 'just some words\n')],
      ['source-empty', await write('empty.mp4', '')],
      ['source-truncated', await write('half.mp4', bytes.subarray(0, bytes.length >> 1))],
      ['source-truncated', await write('half-fast.mp4', whole.subarray(0, whole.length >> 1))],
      [
        'source-playlist',
        await write(
          'playlist.mp4',
          `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
        ),
      ],
      ['source-script', await write('script.mp4', `ffconcat version 1.0\nfile '${secret}'\n`)],
      ['source-unreadable', await write('garbled.mp4', garbled)],
      ['source-no-video', await clips.make('sound.mp4', ...testTone(1), '-c:a', 'aac')],
      ['source-streams', manyStreams],
      ['source-image', await clips.make('picture.png', ...testPicture({ seconds: 1 }), '-frames:v', '1')],
    ]
    const worker = await startWorker(platform)
    const uploads = await Promise.all(
      corpus.map(async ([code, path]) => [code, path, await platform.upload(path)] as const),
    )
    const captionless = await platform.upload(film, [{ fileName: 'no.srt', bytes: Buffer.from('no captions at all') }])
    const good = await platform.upload(await clips.make('good.mp4', ...testPicture({ seconds: 1 }), ...FAST))
    const all = [...uploads.map(([, , id]) => id), captionless]
    await platform.until('all to be refused', () => all.every((id) => ended(platform, id)))
    for (const [code, path, id] of [...uploads, ['captions-invalid', 'no.srt', captionless] as const]) {
      const [failed] = platform.of(id, 'failed')
      expect([path, failed?.type === 'tentpole.title.failed.v1' ? failed.data.code : 'published']).toEqual([path, code])
    }
    await platform.until('nothing to be left', async () => {
      const left = await Promise.all(all.map((id) => keysOf(platform, id)))
      return left.flat().length === 0
    })
    await platform.until('the good film to be published', () => platform.of(good, 'published').length === 1)
    await worker.close()
  }))

test('what fails each time is given up after the limit, with what ffmpeg said, and cleaned up', () =>
  withPlatform(async (platform) => {
    let encodes = 0
    const failing: Ffmpeg = {
      ...ffmpeg,
      async run(run) {
        if (run.arguments.includes('libx264')) {
          encodes += 1
          throw new Fault('ffmpeg-failed', 'ffmpeg ended with 1: the moon is in the wrong house')
        }
        return ffmpeg.run(run)
      },
    }
    const worker = await startWorker(platform, { ffmpeg: failing, limits: { taskAttemptsMax: 2 } })
    const id = await platform.upload(film)
    await platform.until('the title to fail', () => ended(platform, id))
    const [failed] = platform.of(id, 'failed')
    if (failed?.type !== 'tentpole.title.failed.v1') throw new Error('expected a failure')
    expect(failed.data.code).toBe('video-failed')
    expect(failed.data.reason).toContain('the moon is in the wrong house')
    expect(encodes).toBeGreaterThanOrEqual(2)
    await platform.until('nothing to be left', async () => (await keysOf(platform, id)).length === 0)
    const open = await platform.tables.query({
      sql: "SELECT id FROM media_tasks WHERE state IN ('pending', 'running') AND kind <> 'cleanup'",
    })
    expect(open).toEqual([])
    await worker.close()
  }))

test('a worker that drains gives its work to the next at once, no attempt counted', () =>
  withPlatform(async (platform) => {
    const first = await startWorker(platform, { owner: 'worker-0' })
    const id = await platform.upload(film)
    await platform.until('the plan', () => platform.of(id, 'planned').length === 1)
    await platform.until('work under way', () => first.running() >= 2)
    await first.close()
    const rows = await platform.tables.query({ sql: 'SELECT state, attempts FROM media_tasks' })
    expect(rows.filter(({ state, attempts }) => state === 'running' || attempts !== 0)).toEqual([])
    const second = await startWorker(platform, { owner: 'worker-1' })
    await platform.until('the title to be published', () => platform.of(id, 'published').length === 1)
    await checkPublished(platform, id)
    await second.close()
  }))

const lost: readonly (readonly [number, 'published' | 'failed'])[] = [
  [12, 'published'],
  [25, 'failed'],
]
for (const [attempts, outcome] of lost)
  test(`a film whose workers died ${attempts} times under it is ${outcome}`, () =>
    withPlatform(async (platform) => {
      const first = await startWorker(platform, { owner: 'worker-0' })
      const id = await platform.upload(film)
      await platform.until('the plan', () => platform.of(id, 'planned').length === 1)
      await first.close()
      const sql = "UPDATE media_tasks SET attempts = ? WHERE state = 'pending' AND kind = 'audio'"
      await platform.tables.batch([{ sql, parameters: [attempts] }])
      const second = await startWorker(platform, { owner: 'worker-1' })
      await platform.until(`the title to be ${outcome}`, () => platform.of(id, outcome).length === 1)
      const [failed] = platform.of(id, 'failed')
      if (failed?.type === 'tentpole.title.failed.v1') expect(failed.data.reason).toContain('lost each time')
      await second.close()
    }))

test('a withdrawn title is stopped; its running encoders with it', () =>
  withPlatform(async (platform) => {
    const long = await clips.make('long.mp4', '-stream_loop', '30', '-i', film, '-c', 'copy')
    const worker = await startWorker(platform)
    const id = await platform.upload(long)
    await platform.until('the plan', () => platform.of(id, 'planned').length === 1)
    await platform.until('work under way', () => worker.running() >= 2)
    await platform.publish('tentpole.title.withdrawn.v1', id, { titleId: id, reason: 'rights' })
    await platform.until('the work to stop', () => worker.running() === 0)
    const left = await platform.tables.query({
      sql: "SELECT id FROM media_tasks WHERE title_id = ? AND state IN ('pending', 'running')",
      parameters: [id],
    })
    expect(left).toEqual([])
    expect(platform.of(id, 'published').length + platform.of(id, 'failed').length).toBe(0)
    await worker.close()
  }))

const isEncode = (run: FfmpegRun): boolean => run.arguments.some((argument) => ['libx264', 'aac'].includes(argument))
const isBatchEncode = (run: FfmpegRun): boolean => run.urgent !== true && isEncode(run)
/** Whole chunks go into files; what is wanted is streamed. */
const isChunkEncode = (run: FfmpegRun): boolean => isEncode(run) && !run.arguments.includes('pipe:1')

/** An ffmpeg of which some runs wait, so that a test decides how long every slot is taken. */
const createHeldFfmpeg = (
  isHeld: (run: FfmpegRun) => boolean,
): { ffmpeg: Ffmpeg; waiting(): number; release(): void } => {
  let waiting = 0
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const hold = async (run: FfmpegRun): Promise<void> => {
    if (!isHeld(run)) return
    waiting += 1
    const stopped = new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve()))
    await Promise.race([released, stopped])
    waiting -= 1
  }
  return {
    waiting: () => waiting,
    release: () => release(),
    ffmpeg: {
      ...ffmpeg,
      run: async (run) => {
        await hold(run)
        return ffmpeg.run(run)
      },
      stream: async (run, onBytes) => {
        await hold(run)
        return ffmpeg.stream(run, onBytes)
      },
    },
  }
}

const segmentsOf = (platform: Platform, titleId: string): readonly string[] =>
  platform
    .of(titleId, 'segments')
    .flatMap((event) =>
      event.type === 'tentpole.title.segments.v1'
        ? event.data.segments.map(({ index }) => `${event.data.track}/${index}`)
        : [],
    )

test('what a viewer waits for, picture and sound, is made while batch encodes hold every slot', () =>
  withPlatform(async (platform) => {
    const long = await clips.make('long-sound.mp4', '-stream_loop', '29', '-i', film, '-c', 'copy')
    const held = createHeldFfmpeg(isBatchEncode)
    const worker = await startWorker(platform, { ffmpeg: held.ffmpeg })
    const id = await platform.upload(long)
    await platform.until('all slots to be taken', () => held.waiting() === 2 && worker.running() >= 2)
    expect(platform.of(id, 'playable').length).toBe(1)
    for (const [track, index] of [
      ['v144', 121],
      ['a0', 130],
    ] as const) {
      await platform.publish('tentpole.segment.wanted.v1', id, { titleId: id, track, index })
    }
    const wanted = [121, 122, 126].map((index) => `v144/${index}`).concat(['a0/130', 'a0/135'])
    await platform.until('the wanted segments', () =>
      wanted.every((segment) => segmentsOf(platform, id).includes(segment)),
    )
    expect(held.waiting()).toBe(2)
    const slots = await platform.tables.query({ sql: "SELECT kind FROM media_tasks WHERE state = 'running'" })
    expect(slots.length).toBeLessThanOrEqual(4)
    await worker.close()
  }))

test('what is wanted does not wait for the first chunks either', () =>
  withPlatform(async (platform) => {
    const held = createHeldFfmpeg(isChunkEncode)
    const worker = await startWorker(platform, { ffmpeg: held.ffmpeg })
    const id = await platform.upload(longer)
    await platform.until('the first chunks to take all slots', () => held.waiting() === 2)
    await platform.publish('tentpole.segment.wanted.v1', id, { titleId: id, track: 'v144', index: 15 })
    await platform.until('the wanted segment', () => segmentsOf(platform, id).includes('v144/15'))
    expect([held.waiting(), platform.of(id, 'playable').length]).toEqual([2, 0])
    await worker.close()
  }))

test('wanted while its chunk is being made, and before: the chunk leaves out or gives up what is there', () =>
  withPlatform(async (platform) => {
    const held = createHeldFfmpeg(isBatchEncode)
    const worker = await startWorker(platform, { ffmpeg: held.ffmpeg })
    const id = await platform.upload(longer)
    await platform.until('all slots to be taken', () => held.waiting() === 2 && worker.running() >= 2)
    const running = await platform.tables.query({
      sql: "SELECT id FROM media_tasks WHERE state = 'running' AND kind = 'video' ORDER BY id",
    })
    expect(running.map((row) => row['id'])).toContain(`${id}/video/0/v180`)
    for (const [track, index] of [
      ['v180', 1],
      ['v144', 15],
    ] as const) {
      await platform.publish('tentpole.segment.wanted.v1', id, { titleId: id, track, index })
    }
    await platform.until('the wanted segments', () =>
      ['v180/1', 'v180/6', 'v144/15', 'v144/19'].every((segment) => segmentsOf(platform, id).includes(segment)),
    )
    held.release()
    await platform.until('the title to end', () => ended(platform, id))
    expect([platform.of(id, 'published').length, platform.of(id, 'playable').length]).toEqual([1, 1])
    await checkPublished(platform, id)
    const segments = segmentsOf(platform, id)
    expect(new Set(segments).size).toBe(segments.length)
    const named = new Set(JSON.stringify(platform.events).match(/titles\/[\w/.-]+/g))
    expect((await keysOf(platform, id)).filter((key) => !key.includes('/source/') && !named.has(key))).toEqual([])
    await worker.close()
  }))

/** Processes whose command line names `part`. */
const processesWith = async (part: string): Promise<readonly string[]> => {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.includes('ffmpeg') && line.includes(part))
}

test.skipIf(process.platform !== 'linux')(
  'a worker killed in the middle: no ffmpeg outlives it, another takes over, the film is published once (needs /proc)',
  () =>
    withPlatform(async (platform) => {
      const socket = join(platform.directory, 's')
      const server = createWireServer({
        path: socket,
        limits: DEFAULT_LIMITS,
        logger: silentLogger,
        onCall: createStoreHandler({ log: platform.log, tables: platform.tables, logger: silentLogger }),
      })
      const leaseMs = 1_500
      const objectsRoot = join(platform.directory, 'objects')
      const scratch = join(platform.directory, 'scratch')
      const script = join(import.meta.dir, 'testing-worker.ts')
      const child = spawn(process.execPath, [script, socket, objectsRoot, scratch, String(leaseMs)], {
        stdio: 'ignore',
      })
      const id = await platform.upload(longer)
      await platform.until('the plan', () => platform.of(id, 'planned').length === 1)
      await platform.publish('tentpole.segment.wanted.v1', id, { titleId: id, track: 'v144', index: 17 })
      await platform.until('work on what is wanted', async () => {
        const rows = await platform.tables.query({
          sql: "SELECT id FROM media_tasks WHERE kind = 'wanted' AND state <> 'pending'",
        })
        return rows.length > 0 && (await processesWith(scratch)).length > 0
      })
      child.kill('SIGKILL')
      await platform.until('its ffmpeg to be gone', async () => (await processesWith(scratch)).length === 0, 5_000)
      const worker = await startWorker(platform, { owner: 'worker-1', limits: { taskLeaseMs: leaseMs } })
      await platform.until('the title to be published', () => ended(platform, id))
      expect([platform.of(id, 'published').length, platform.of(id, 'playable').length]).toEqual([1, 1])
      await checkPublished(platform, id)
      await worker.close()
      await server.close({ timeoutMs: 1_000 })
    }),
)

test('two workers on one film do nothing twice to effect', () =>
  withPlatform(async (platform) => {
    const workers = await Promise.all(['worker-0', 'worker-1'].map((owner) => startWorker(platform, { owner })))
    const id = await platform.upload(film)
    await platform.until('the title to be published', () => platform.of(id, 'published').length === 1)
    await checkPublished(platform, id)
    const segments = segmentsOf(platform, id)
    expect(new Set(segments).size).toBe(segments.length)
    await Promise.all(workers.map((worker) => worker.close()))
  }))
