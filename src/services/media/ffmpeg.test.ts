import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DEFAULT_LIMITS, Fault, type Limits, silentLogger } from '../../kernel/index.ts'
import { createFfmpeg, type Ffmpeg, type FfmpegRun } from './ffmpeg.ts'
import { probe } from './probe.ts'
import { type Clips, createClips, FAST, testPicture } from './testing.ts'

// ffmpeg shares the machine with whatever else is tested.
setDefaultTimeout(30_000)

let clips: Clips
let ffmpeg: Ffmpeg
const cageOf = (limits: Partial<Limits>): Promise<Ffmpeg> =>
  createFfmpeg({ limits: { ...DEFAULT_LIMITS, ...limits }, logger: silentLogger })
beforeAll(async () => {
  clips = await createClips()
  ffmpeg = await cageOf({})
})
afterAll(() => clips.remove())

const ENDLESS = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720', '-f', 'null', '-']

const failsWith = async (runner: Ffmpeg, run: Partial<FfmpegRun>, code: string): Promise<Fault> => {
  const whole: FfmpegRun = {
    program: 'ffmpeg',
    arguments: ['-v', 'error', '-nostdin', '-y', ...(run.arguments ?? ENDLESS)],
    signal: run.signal ?? new AbortController().signal,
    directory: clips.directory,
    ...(run.wallMs === undefined ? {} : { wallMs: run.wallMs }),
    ...(run.outputBytesMax === undefined ? {} : { outputBytesMax: run.outputBytesMax }),
  }
  const fault = await runner.run(whole).catch((error: unknown) => error)
  if (!(fault instanceof Fault)) throw new Error(`expected a fault ${code}, got ${String(fault)}`)
  expect(fault.code).toBe(code)
  return fault
}

test('what ffmpeg says last is in the fault', async () => {
  const fault = await failsWith(ffmpeg, { arguments: ['-i', '/nowhere.mp4', '-f', 'null', '-'] }, 'ffmpeg-failed')
  expect(fault.message).toContain('/nowhere.mp4')
})

test('wall time is limited', () => failsWith(ffmpeg, { wallMs: 300 }, 'ffmpeg-timeout'))

test('standard output is limited', () =>
  failsWith(
    ffmpeg,
    { arguments: ['-f', 'lavfi', '-i', 'testsrc2', '-f', 'rawvideo', '-'], outputBytesMax: 100_000 },
    'ffmpeg-capped',
  ))

test('a cancelled run ends at once, and one cancelled before does not begin', async () => {
  const stop = new AbortController()
  const running = failsWith(ffmpeg, { signal: stop.signal }, 'cancelled')
  setTimeout(() => stop.abort(), 200)
  await running
  await failsWith(ffmpeg, { signal: stop.signal }, 'cancelled')
})

test('an error of the reader of its output ends the run with that error', async () => {
  const run: FfmpegRun = {
    program: 'ffmpeg',
    arguments: ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2', '-f', 'rawvideo', '-'],
    signal: new AbortController().signal,
    directory: clips.directory,
  }
  const refused = ffmpeg.stream(run, () => Promise.reject(new Fault('output-invalid', 'no')))
  expect(await refused.catch((error: unknown) => error)).toMatchObject({ code: 'output-invalid' })
})

// Where a machine has no such tool, `createFfmpeg` says so when a worker starts, and this is what is lost.
const caged = (part: string, name: string, body: () => Promise<unknown>): void => {
  test(`${name} (needs ${part})`, async () => {
    if (ffmpeg.cage.includes(part)) await body()
    else expect(process.platform === 'linux' && process.getuid?.() === 0).toBe(false)
  })
}

caged('prlimit', 'CPU time is limited', async () =>
  failsWith(await cageOf({ ffmpegCpuSeconds: 1 }), { wallMs: 20_000 }, 'ffmpeg-capped'),
)
caged('prlimit', 'the size of a file is limited', async () =>
  failsWith(
    await cageOf({ ffmpegOutputBytes: 200_000 }),
    { arguments: ['-f', 'lavfi', '-i', 'testsrc2=duration=2', '-f', 'rawvideo', join(clips.directory, 'raw')] },
    'ffmpeg-capped',
  ),
)
caged('unshare', 'there is no network', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  const fault = await failsWith(ffmpeg, { arguments: ['-i', url, '-f', 'null', '-'] }, 'ffmpeg-failed')
  expect(fault.message).toContain('unreachable')
  server.close()
})

test('a playlist under a false name makes it read nothing, even past the first look', async () => {
  const secret = await clips.make('secret.mp4', ...testPicture({ seconds: 1 }), ...FAST)
  const scripts = [
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
    `ffconcat version 1.0\nfile '${secret}'\n`,
  ]
  for (const [at, script] of scripts.entries()) {
    const path = join(clips.directory, `hostile-${at}.mp4`)
    await writeFile(path, script)
    for (const container of ['mov', 'matroska'] as const) {
      const opened = probe(ffmpeg, {
        path,
        container,
        directory: clips.directory,
        signal: new AbortController().signal,
      })
      expect(
        await opened.then(
          () => 'opened',
          (error: Fault) => error.code,
        ),
      ).toBe('ffmpeg-failed')
    }
  }
})
