import { readFile } from 'node:fs/promises'
import { type PathKeys, signPathToken } from '../../contracts/index.ts'
import { createDirectoryObjects } from '../../engines/objects/index.ts'
import type { Layout } from '../../roles/layout.ts'
import type { InsideKnowledge } from './signature-needed.ts'

/** Expired for longer than any grace. */
const EXPIRED_AGO_S = 3_600
const KEYS_LISTED_MAX = 1_000

/** From the files of a platform on this machine. Null where they do not say: the attack that needs it is left out. */
export function createInsideKnowledge(layout: Pick<Layout, 'pathKeysFile' | 'objectsDirectory'>): InsideKnowledge {
  const objects = createDirectoryObjects({ root: layout.objectsDirectory })
  const keys = readKeys(layout.pathKeysFile)
  return {
    async expiredToken(claims) {
      const known = await keys
      if (known === null) return null
      return signPathToken(known, { ...claims, expiresAtS: Math.floor(Date.now() / 1000) - EXPIRED_AGO_S })
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
    return JSON.parse(await readFile(path, 'utf8')) as PathKeys // written by the platform's own supervisor
  } catch {
    return null
  }
}
