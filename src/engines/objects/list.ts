import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { checkPresent, codeOf, toObjectsFault } from './files.ts'
import { OBJECT_SUFFIX } from './keys.ts'

type Want = { readonly prefix: string; readonly after: string; readonly max: number }
type At = { readonly root: string; readonly base: string; readonly want: Want; readonly keys: string[] }

/**
 * Keys under `root` in the order of their characters. A directory sorts as its name and `/`, which is where its keys
 * belong among its neighbours'; directories that cannot hold a wanted key are not opened. Fault `objects-unavailable`
 * when one that may hold some cannot be read: what is not told is not there.
 */
export async function listKeys(root: string, want: Want): Promise<string[]> {
  const keys: string[] = []
  await visit({ root, base: '', want, keys })
  return keys
}

async function visit(at: At): Promise<void> {
  const { want, keys } = at
  for (const path of await pathsIn(at)) {
    if (keys.length >= want.max) return
    if (path.endsWith('/')) await visit({ ...at, base: path })
    else keys.push(path)
  }
}

/** What a directory has that is wanted or may hold what is, in order. */
async function pathsIn({ root, base, want }: At): Promise<string[]> {
  const paths: string[] = []
  for (const entry of await readEntries(root, base)) {
    if (entry.isDirectory()) {
      const path = `${base}${entry.name}/`
      if (mayHold(path, want)) paths.push(path)
    } else if (entry.name.endsWith(OBJECT_SUFFIX)) {
      const path = base + entry.name.slice(0, -OBJECT_SUFFIX.length)
      if (path.startsWith(want.prefix) && path > want.after) paths.push(path)
    }
  }
  return paths.sort()
}

function mayHold(directory: string, { prefix, after }: Want): boolean {
  const onTheWay = directory.startsWith(prefix) || prefix.startsWith(directory)
  return onTheWay && (directory > after || after.startsWith(directory))
}

async function readEntries(root: string, base: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(join(root, base), { withFileTypes: true })
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error)))
      throw toObjectsFault(error, `the objects under ${base === '' ? root : base} could not be listed`)
    // Removed with its last object. The root itself stays, so without it nothing is known.
    await checkPresent(root)
    return []
  }
}
