import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For tests of a full disk: a real file system of 4 MB. Mounting one needs root. */
export const canMountSmallDisk: boolean = probe()

/** Why such a test is left out, for its name; empty where it runs. */
export const smallDiskSkipped: string = canMountSmallDisk ? '' : ' (skipped: mounting a tmpfs needs root)'

export function mountSmallDisk(): { readonly directory: string; unmount(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'tentpole-full-'))
  const { success, stderr } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory])
  if (!success) {
    rmSync(directory, { recursive: true, force: true })
    throw new Error(`expected to mount a tmpfs at ${directory}, got: ${stderr}`)
  }
  return {
    directory,
    unmount() {
      Bun.spawnSync(['umount', '-l', directory])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function probe(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    mountSmallDisk().unmount()
    return true
  } catch {
    return false
  }
}
