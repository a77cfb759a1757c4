import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'
import { clockFilters } from './clock.ts'
import { MELODY_FORMAT, renderMelody } from './melody.ts'

const SAMPLE_SECONDS = 30
const RATE = 24
/** Slow waves of colour, computed small and scaled up: they lose nothing by it, and computing them large takes minutes. */
const PICTURE = [
  `color=s=64x36:r=${RATE}`,
  'format=yuv444p',
  [
    "geq=lum='84+38*sin(X/9.5+T*0.7)*cos(Y/7.5-T*0.4)+34*sin((X+1.6*Y)/13.5-T*0.9)'",
    "cb='136+44*sin(X/13-T*0.5)*sin(Y/11+T*0.35)+14*cos(T*0.4)'",
    "cr='142+46*cos(X/15+T*0.45-Y/21)'",
  ].join(':'),
  'scale=1280:720:flags=bicubic',
  'format=yuv420p',
]
const CAPTIONS = [
  'This film was made on your machine a moment ago,',
  'and published the way yours will be:',
  'uploaded, probed, encoded in parallel,',
  'playable long before it was complete.',
  'The digits are its time code.',
  'Seek anywhere. Change the quality.',
  'Then publish one of your own:',
  'npx tentpole publish film.mp4 --title "My film"',
]

export type SampleFilm = { readonly film: string; readonly captions: string; remove(): Promise<void> }

/** Half a minute of moving picture, sound, burnt-in time code and captions. Fault `sample-failed` with ffmpeg's own words. */
export async function makeSampleFilm(options: { seconds?: number; signal?: AbortSignal } = {}): Promise<SampleFilm> {
  const { seconds = SAMPLE_SECONDS, signal } = options
  const directory = await mkdtemp(join(tmpdir(), 'tentpole-sample-'))
  const film = join(directory, 'tentpole-sample.mp4')
  const captions = join(directory, 'tentpole-sample.en.srt')
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    await writeFile(captions, toSubRip(CAPTIONS, seconds))
    if (signal?.aborted) throw new Fault('sample-failed', 'the sample film is not wanted any more')
    await encode(film, seconds, signal)
    return { film, captions, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function encode(film: string, seconds: number, signal: AbortSignal | undefined): Promise<void> {
  const picture = [...PICTURE, ...clockFilters({ x: 960, y: 628, framesPerSecond: RATE })].join(',')
  const ffmpeg = Bun.spawn(
    [
      ...['ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'error', '-y'],
      ...['-f', 'lavfi', '-i', picture, ...MELODY_FORMAT, '-i', 'pipe:0'],
      ...['-t', String(seconds), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '22'],
      ...['-g', String(RATE * 2)],
      ...['-c:a', 'aac', '-b:a', '160k', '-movflags', '+faststart', film],
    ],
    { stdin: renderMelody(seconds), stdout: 'ignore', stderr: 'pipe', ...(signal ? { signal } : {}) },
  )
  const [said, code] = await Promise.all([new Response(ffmpeg.stderr).text(), ffmpeg.exited])
  if (code !== 0) throw new Fault('sample-failed', `ffmpeg could not make the sample film: ${said.trim().slice(-400)}`)
}

function toSubRip(lines: readonly string[], seconds: number): string {
  const each = seconds / lines.length
  const stamp = (at: number): string => `00:00:${at.toFixed(3).padStart(6, '0').replace('.', ',')}`
  return lines
    .map((line, at) => `${at + 1}\n${stamp(at * each)} --> ${stamp((at + 1) * each - 0.25)}\n${line}\n`)
    .join('\n')
}
