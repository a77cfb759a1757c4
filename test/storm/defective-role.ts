import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { plugin } from 'bun'
import { applyPatch, type Defect, PATCHES } from './defects.ts'

const PROJECT = resolve(import.meta.dir, '..', '..')

/**
 * A role's process with a defect in it: the text of a module is changed on its way from the disk. All patches are made
 * before anything is loaded, so a defect that no longer fits keeps every role from starting, not just those it is in.
 */
export async function runDefectiveRole(defect: Defect): Promise<void> {
  const patched = new Map<string, string>()
  for (const patch of PATCHES[defect]) {
    const path = join(PROJECT, patch.file)
    patched.set(path, applyPatch(patched.get(path) ?? readFileSync(path, 'utf8'), patch))
  }
  plugin({
    name: `planted defect ${defect}`,
    setup(build) {
      for (const [path, contents] of patched) {
        const filter = new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
        build.onLoad({ filter }, () => ({ contents, loader: 'ts' }))
      }
    },
  })
  await import('../../src/roles/main.ts')
}
