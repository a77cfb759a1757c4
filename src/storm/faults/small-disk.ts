import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mounts on the first argument what the second says, then becomes the command that follows. */
const MOUNT_AND_BECOME = 'mount -t tmpfs -o "$2" storm-disk "$1" && shift 2 && exec "$@"'
const TRIAL_BYTES = 64 * 1024

/**
 * The command line that runs `command` where `directory` (which must exist) is a fresh, empty file system of `bytes`: a tmpfs in a mount
 * namespace of its own. It vanishes with the last process in it, so that a killed storm leaves nothing to unmount, and nobody else ever
 * sees it but through `insideOf`.
 *
 * Only root may mount; anybody may be root in a user namespace of their own. That is why there is no decorator that counts bytes and says
 * "full" here: it would be a hook in the platform's own processes, it would miss what ffmpeg and SQLite write, and it would answer with
 * errors of our making where a real file system has its own.
 */
export function smallDiskCommand(options: {
  readonly directory: string
  readonly bytes: number
  readonly command: readonly string[]
}): string[] {
  const { directory, bytes, command } = options
  const namespaces = process.getuid?.() === 0 ? ['-m'] : ['-r', '-m']
  const settings = `size=${bytes},mode=0700`
  return ['unshare', ...namespaces, 'sh', '-c', MOUNT_AND_BECOME, 'sh', directory, settings, ...command]
}

/** The path by which a file or socket is reached from outside, that `pid` (the command's, or a child's of it) has at `path`. */
export function insideOf(pid: number, path: string): string {
  return `/proc/${pid}/root${path}`
}

/** The path as the processes in there know it. */
export function knownInside(path: string): string {
  return path.replace(/^\/proc\/\d+\/root(?=\/)/, '')
}

/** Null where a small disk can be made; else why not, and what to do. */
export function canMakeSmallDisk(): string | null {
  const next = 'run as root or where user namespaces are allowed, or leave disk faults out of the scenario'
  if (process.platform !== 'linux')
    return `a small disk needs Linux's mount namespaces, this is ${process.platform}; ${next}`
  const directory = mkdtempSync(join(tmpdir(), 'storm-disk-'))
  try {
    const trial = Bun.spawnSync(smallDiskCommand({ directory, bytes: TRIAL_BYTES, command: ['true'] }), {
      stderr: 'pipe',
      timeout: 5_000,
    })
    if (trial.exitCode === 0) return null
    return `a small disk cannot be made here (${trial.stderr.toString().trim() || `exit code ${trial.exitCode}`}); ${next}`
  } catch (error) {
    return `a small disk needs the program unshare (util-linux): ${error instanceof Error ? error.message : String(error)}; ${next}`
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
