import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { OBJECT_SUFFIX } from './keys.ts'

type Want = { readonly prefix: string; readonly after: string; readonly max: number }

/**
 * Keys under `root` in the order of their characters. A directory sorts as its name and `/`, which is where its keys
 * belong among its neighbours'; directories that cannot hold a wanted key are not opened.
 */
export async function listKeys(root: string, want: Want): Promise<string[]> {
  const keys: string[] = []
  await visit({ root, base: '', want, keys })
  return keys
}

async function visit(at: { root: string; base: string; want: Want; keys: string[] }): Promise<void> {
  const { root, base, want, keys } = at
  for (const entry of await entriesOf(join(root, base))) {
    if (keys.length >= want.max) return
    const path = base + entry
    if (entry.endsWith('/')) {
      if (mayHold(path, want)) await visit({ ...at, base: path })
    } else if (path.startsWith(want.prefix) && path > want.after) {
      keys.push(path)
    }
  }
}

function mayHold(directory: string, { prefix, after }: Want): boolean {
  const onTheWay = directory.startsWith(prefix) || prefix.startsWith(directory)
  return onTheWay && (directory > after || after.startsWith(directory))
}

async function entriesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries
    .flatMap((entry) => {
      if (entry.isDirectory()) return [`${entry.name}/`]
      return entry.name.endsWith(OBJECT_SUFFIX) ? [entry.name.slice(0, -OBJECT_SUFFIX.length)] : []
    })
    .sort((a, b) => (a < b ? -1 : 1))
}
