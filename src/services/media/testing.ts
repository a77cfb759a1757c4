import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** For this room's tests only: clips made by ffmpeg, in a directory that goes away. */

const execute = promisify(execFile)

export type Clips = {
  readonly directory: string
  /** Runs ffmpeg with the output file as its last argument, and returns that file's path. */
  make(name: string, ...options: readonly string[]): Promise<string>
  /** Runs ffmpeg or ffprobe and returns what it printed on both outputs. */
  run(program: 'ffmpeg' | 'ffprobe', ...options: readonly string[]): Promise<{ stdout: string; stderr: string }>
  remove(): Promise<void>
}

export async function createClips(): Promise<Clips> {
  const directory = await mkdtemp(join(tmpdir(), 'tentpole-media-'))
  const run: Clips['run'] = (program, ...options) =>
    execute(program, [...options], { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' })
  return {
    directory,
    run,
    async make(name, ...options) {
      const path = join(directory, name)
      await run('ffmpeg', '-v', 'error', '-nostdin', '-y', ...options, path)
      return path
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Arguments for a moving picture with a running number, and a tone. */
export function testPicture(options: { rate?: string; size?: string; seconds: number }): string[] {
  const { rate = '25', size = '320x180', seconds } = options
  return ['-f', 'lavfi', '-i', `testsrc2=rate=${rate}:size=${size}:duration=${seconds}`]
}

export function testTone(seconds: number, channels = 1): string[] {
  const layout = { 1: 'mono', 2: 'stereo', 6: '5.1' }[channels] ?? 'mono'
  return [
    '-f',
    'lavfi',
    '-i',
    `sine=frequency=440:sample_rate=48000:duration=${seconds},aformat=channel_layouts=${layout}`,
  ]
}

export const FAST: readonly string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50']
