import { findPurgeFault } from '../../contracts/index.ts'
import { parseRequestTarget } from '../target.ts'

/** What a purge by address means: characters that keys are or begin with, behind `http://` and a host. */
export type PurgeAddress = {
  /** In the forms that requests may name it by; null means every host. */
  readonly hosts: readonly string[] | null
  /** Path and query in the form that requests are kept under. */
  readonly rest: string
}

/** Every key begins so: the edge's own side is never asked by `https:`. */
export const KEY_SCHEME = 'http://'
const PARTS = /^(?:https?:\/\/([^/?#]+))?(\/.*)$/i
const DEFAULT_PORT = /:(?:80|443)$/

/** Null when no request could be kept under it. */
export function parsePurgeAddress(scope: 'url' | 'prefix', value: string): PurgeAddress | null {
  if (findPurgeFault({ scope, value }) !== null) return null
  const [, host, text = ''] = PARTS.exec(value) ?? []
  const target = parseRequestTarget(text)
  if (!target) return null
  return { hosts: host === undefined ? null : toHosts(host), rest: target.path + target.query }
}

/** A port that goes without saying is said by some clients. */
function toHosts(text: string): string[] {
  const name = text.toLowerCase().replace(DEFAULT_PORT, '')
  return /:\d+$/.test(name) ? [name] : [name, `${name}:80`, `${name}:443`]
}

/** Whether a key, `http://host/path?query`, is meant. */
export function meansKey(scope: 'url' | 'prefix', { hosts, rest }: PurgeAddress, key: string): boolean {
  const slash = key.indexOf('/', KEY_SCHEME.length)
  if (slash < 0 || !key.startsWith(KEY_SCHEME)) return false
  if (hosts !== null && !hosts.includes(key.slice(KEY_SCHEME.length, slash))) return false
  const own = key.slice(slash)
  return scope === 'url' ? own === rest : own.startsWith(rest)
}
