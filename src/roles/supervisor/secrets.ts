import { randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { exportJWK, generateKeyPair } from 'jose'
import type { PathKeys } from '../../contracts/index.ts'
import { createShortId, Fault } from '../../kernel/index.ts'
import type { RoleName } from '../context.ts'
import type { Layout } from '../layout.ts'
import { formatPathKeys, makePathKey, type PathKeysFile, parsePathKeys, toFirstFile } from './path-keys.ts'
import { writePrivate } from './private-file.ts'

/** What a platform keeps from everybody else; made on its first start, kept afterwards. */
export type Secrets = {
  readonly viewerKey: JsonWebKey
  readonly pathKeys: PathKeysFile
  readonly operatorToken: string
  /** For who scrapes: opens `/metrics` and nothing else. */
  readonly metricsToken: string
}

/** Reads the secrets of a home, making those that are not there. Fault `secret-invalid` names a file that cannot be read as one. */
export async function openSecrets(layout: Layout): Promise<Secrets> {
  return {
    viewerKey: await open(layout.viewerKeyFile, makeViewerKey, parseViewerKey),
    pathKeys: await open(layout.pathKeysFile, makePathKeys, parsePathKeys),
    operatorToken: await open(layout.operatorTokenFile, makeToken, parseToken),
    metricsToken: await open(layout.metricsTokenFile, makeToken, parseToken),
  }
}

/** What a role is started with of them; of the path keys, those that are in force at that moment. */
export type RoleSecrets = { [K in keyof Omit<Secrets, 'pathKeys'>]: Secrets[K] | null } & {
  readonly pathKeys: PathKeys | null
}

/** Cells sign, edges verify. */
export function takesPathKeys(role: RoleName): boolean {
  return role === 'cell' || role === 'edge'
}

/** Only what a role needs: a process that never had a key cannot leak it. */
export function secretsFor(role: RoleName, secrets: Secrets, pathKeys: PathKeys): RoleSecrets {
  return {
    pathKeys: takesPathKeys(role) ? pathKeys : null,
    viewerKey: role === 'cell' ? secrets.viewerKey : null,
    operatorToken: role === 'control' ? secrets.operatorToken : null,
    metricsToken: role === 'control' ? secrets.metricsToken : null,
  }
}

async function open<T>(path: string, make: () => Promise<string>, parse: (text: string) => T | null): Promise<T> {
  let text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new Fault('secret-invalid', `${path} cannot be read: ${error.message}`, { cause: error })
  })
  if (text === null) {
    text = await make()
    await writePrivate(path, text)
  } else {
    await chmod(path, 0o600)
  }
  const value = parse(text)
  if (value !== null) return value
  throw new Fault(
    'secret-invalid',
    `${path} is not what this platform once wrote there; restore it from a backup, or remove it to have a new one made (what was signed with the old one is then refused)`,
  )
}

async function makeViewerKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return `${JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'EdDSA', kid: createShortId() })}\n`
}

async function makePathKeys(): Promise<string> {
  return formatPathKeys(toFirstFile(makePathKey(), Date.now()))
}

function parseViewerKey(text: string): JsonWebKey | null {
  const key = parseJson(text) as JsonWebKey | null
  return key?.kty === 'OKP' && key.crv === 'Ed25519' && typeof key.d === 'string' && typeof key.x === 'string'
    ? key
    : null
}

async function makeToken(): Promise<string> {
  return `${randomBytes(32).toString('base64url')}\n`
}

function parseToken(text: string): string | null {
  const token = text.trim()
  return /^[\w-]{20,}$/.test(token) ? token : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
