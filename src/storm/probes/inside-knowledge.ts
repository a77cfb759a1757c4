import { type PathKeys, signPathToken, toTitlePrefix } from '../../contracts/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import { type Layout, readPathKeysFile, toPathKeys } from '../../roles/index.ts'
import type { InsideKnowledge } from './signature-needed.ts'

/** Expired for longer than any grace. */
const EXPIRED_AGO_S = 3_600
const KEYS_LISTED_MAX = 1_000

/** From the files of a platform on this machine. Null where they do not say: the attack that needs it is left out. */
export function createInsideKnowledge(layout: Pick<Layout, 'pathKeysFile' | 'objectsDirectory'>): InsideKnowledge {
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  const keys = readKeys(layout.pathKeysFile)
  return {
    async expiredToken({ titleId, sessionId, cell }) {
      const known = await keys
      if (known === null) return null
      const expiresAtS = Math.floor(Date.now() / 1000) - EXPIRED_AGO_S
      return signPathToken(known, { prefix: toTitlePrefix(titleId), sessionId, cell, expiresAtS, network: null })
    },
    async objectKey(titleId, file) {
      const [track = '', name = ''] = file.split('/')
      const found = await objects.list(`titles/${titleId}/${track}/`, { max: KEYS_LISTED_MAX }).catch(() => [])
      return found.find((key) => key.endsWith(`/${name}`)) ?? null
    },
  }
}

async function readKeys(path: string): Promise<PathKeys | null> {
  try {
    return toPathKeys(await readPathKeysFile(path), Date.now())
  } catch {
    return null
  }
}
