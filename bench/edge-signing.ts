import { join } from 'node:path'
import { type PathKeys, signPathToken } from '../src/contracts/index.ts'
import { createId } from '../src/kernel/index.ts'
import { makePathKey, toFirstFile, toPathKeys } from '../src/roles/supervisor/path-keys.ts'
import { createPathKeysFile } from '../src/roles/supervisor/path-keys-file.ts'

/** Signs what the edge alone is asked for, with a key made for this run; the file is what `tentpole keys create` writes. */
export type EdgeSigning = {
  readonly keysFile: string
  /** The same path for each viewer under a token of that viewer's own. */
  address(path: string, viewer: number): string
}

const VALID_S = 3_600

export async function createEdgeSigning(directory: string): Promise<EdgeSigning> {
  const keysFile = join(directory, `path-keys-${createId()}.json`)
  const file = toFirstFile(makePathKey(), Date.now())
  await createPathKeysFile(keysFile, file)
  const keys: PathKeys = toPathKeys(file, Date.now())
  const expiresAtS = Math.floor(Date.now() / 1_000) + VALID_S
  const tokens = new Map<number, string>()
  const tokenOf = (viewer: number): string => {
    const token =
      tokens.get(viewer) ??
      signPathToken(keys, { expiresAtS, prefix: '/', sessionId: `s${viewer}`, cell: 'edge', network: null })
    tokens.set(viewer, token)
    return token
  }
  return { keysFile, address: (path, viewer) => `/v/${tokenOf(viewer)}${path}` }
}
