import { rename } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../kernel/index.ts'

const RATE = 12
/**
 * A still picture full of noise: its key frames alone fill the ladder's bit rates, so segments weigh what a film's do, and
 * everything between them costs the workers a fifth of what a moving test picture does. What encodes slowly would only
 * make the storm late.
 */
const pictureOf = (seed: number): string =>
  [
    `testsrc2=size=426x240:rate=${RATE}`,
    'trim=end_frame=1',
    `noise=alls=60:all_seed=${seed}`,
    'loop=loop=-1:size=1',
    `setpts=N/${RATE}/TB`,
  ].join(',')
/** Longer films are this part again and again: encoding the whole of one takes as long as publishing it. */
const PART_MS = 10_000

/** Makes films of a test picture, another for each length, and a tone; one length is made once, however often it is asked for. */
export type FilmMaker = { make(lengthMs: number, signal: AbortSignal): Promise<string> }

export function createFilmMaker(directory: string): FilmMaker {
  const made = new Map<number, Promise<string>>()
  return {
    make(lengthMs, signal) {
      const film = made.get(lengthMs) ?? makeFilm(directory, lengthMs, signal)
      made.set(lengthMs, film)
      film.catch(() => made.delete(lengthMs))
      return film
    },
  }
}

async function makeFilm(directory: string, lengthMs: number, signal: AbortSignal): Promise<string> {
  const film = join(directory, `film-${lengthMs}.mp4`)
  const part = join(directory, `film-${lengthMs}.part.mp4`)
  await runFfmpeg(
    [
      ...[
        '-f',
        'lavfi',
        '-i',
        pictureOf(lengthMs),
        '-f',
        'lavfi',
        '-i',
        'sine=frequency=330:beep_factor=3:sample_rate=48000',
      ],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', String(RATE * 2)],
      ...['-c:a', 'aac', '-b:a', '96k', '-t', String(Math.min(lengthMs, PART_MS) / 1000), part],
    ],
    signal,
  )
  if (lengthMs <= PART_MS) {
    await rename(part, film)
    return film
  }
  const repeats = Math.ceil(lengthMs / PART_MS) - 1
  const length = ['-c', 'copy', '-t', String(lengthMs / 1000)]
  await runFfmpeg(['-stream_loop', String(repeats), '-i', part, ...length, film], signal)
  return film
}

async function runFfmpeg(args: readonly string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const ffmpeg = Bun.spawn(['ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    signal,
  })
  try {
    // A film made during the storm must not take the crowd's processor.
    setPriority(ffmpeg.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Ended already.
  }
  const [said, code] = await Promise.all([new Response(ffmpeg.stderr).text(), ffmpeg.exited])
  signal.throwIfAborted()
  if (code !== 0) throw new Fault('film-failed', `ffmpeg could not make a film: ${said.trim().slice(-400)}`)
}
