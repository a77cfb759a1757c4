import type { PurgeOrder } from '../../contracts/index.ts'
import type { MemoryTier } from '../memory/index.ts'
import type { SharedFetches } from '../origin/index.ts'
import { KEY_SCHEME, meansKey, type PurgeAddress, parsePurgeAddress } from './purge-address.ts'

/**
 * What can be told to forget. Each is done when it returns, also for what is being fetched: that is not stored, nobody who
 * asks from now on is given it, and who is being served from it is served to the end. The number is that of the objects
 * dropped. An address that no request can have drops nothing.
 */
export type Purgeable = {
  /** `http://host/path?query`, or `/path?query` of every host; all variants of it. */
  purgeUrl(url: string): number
  /** All that begins with these characters: end it with `/` to mean a folder. */
  purgePrefix(prefix: string): number
  /** All that carries this surrogate key. */
  purgeTag(tag: string): number
}

export function applyPurge(purgeable: Purgeable, { scope, value }: PurgeOrder): number {
  return BY_SCOPE[scope](purgeable, value)
}

const BY_SCOPE: Readonly<Record<PurgeOrder['scope'], (purgeable: Purgeable, value: string) => number>> = {
  url: ({ purgeUrl }, value) => purgeUrl(value),
  prefix: ({ purgePrefix }, value) => purgePrefix(value),
  tag: ({ purgeTag }, value) => purgeTag(value),
}

/** Beyond this many hosts a purge for every host drops everything: looking them all up would hold up every request. */
const HOSTS_MAX = 4_096

/**
 * Over a memory tier and the fetches under way. Keys are `http://host/path?query`, for variants with a line feed and more
 * behind it; a fetch's key is the same, perhaps behind a method and a space.
 */
export function createPurgeable<Meta, Head>(options: {
  readonly tier: Pick<MemoryTier<Meta>, 'purge' | 'purgePrefix' | 'purgeTag' | 'firstKeyFrom'>
  readonly fetches: Pick<SharedFetches<Head>, 'detach'>
  /** The surrogate keys of what is being fetched. */
  readonly tagsOf: (head: Head) => readonly string[]
  /** Where keys are under no client's host: whichever host an address names, all there is is meant. */
  readonly ignoresHosts?: boolean
}): Purgeable {
  const { tier, fetches, tagsOf, ignoresHosts = false } = options

  /** Detaches what is meant, and says on which hosts that was: a host may have nothing in memory yet. */
  const detach = (scope: 'url' | 'prefix', address: PurgeAddress): Set<string> => {
    const hosts = new Set<string>()
    fetches.detach((fetchKey) => {
      const key = toUri(fetchKey)
      const meant = meansKey(scope, address, key)
      if (meant) hosts.add(hostOf(key))
      return meant
    })
    return hosts
  }

  const purgeAddress = (scope: 'url' | 'prefix', value: string): number => {
    const parsed = parsePurgeAddress(scope, value)
    if (!parsed) return 0
    const address = ignoresHosts ? { ...parsed, hosts: null } : parsed
    const drop = scope === 'url' ? tier.purge : tier.purgePrefix
    const fetching = detach(scope, address)
    const hosts = address.hosts ?? findHosts(tier.firstKeyFrom)
    if (hosts === null) return tier.purgePrefix(KEY_SCHEME)
    let dropped = 0
    // The tier's own tickets are voided for what is being fetched, whoever would store it.
    for (const host of new Set([...hosts, ...fetching])) dropped += drop(KEY_SCHEME + host + address.rest)
    return dropped
  }

  return {
    purgeUrl: (url) => purgeAddress('url', url),
    purgePrefix: (prefix) => purgeAddress('prefix', prefix),
    purgeTag(tag) {
      // Before its head is there, nobody knows what a fetch will carry.
      fetches.detach((_, head) => head === null || tagsOf(head).includes(tag))
      return tier.purgeTag(tag)
    },
  }
}

/** The hosts there are keys of, by leaps from one to the next; null when they are too many. */
function findHosts(firstKeyFrom: (key: string) => string | undefined): string[] | null {
  const hosts: string[] = []
  let key = firstKeyFrom(KEY_SCHEME)
  while (key?.startsWith(KEY_SCHEME)) {
    if (hosts.length === HOSTS_MAX) return null
    const host = hostOf(key)
    hosts.push(host)
    // "0" comes next after "/": past all keys of this host.
    key = firstKeyFrom(`${KEY_SCHEME}${host}0`)
  }
  return hosts
}

function hostOf(key: string): string {
  const slash = key.indexOf('/', KEY_SCHEME.length)
  return key.slice(KEY_SCHEME.length, slash < 0 ? undefined : slash)
}

function toUri(fetchKey: string): string {
  const end = fetchKey.indexOf('\n')
  const line = end < 0 ? fetchKey : fetchKey.slice(0, end)
  return line.slice(line.lastIndexOf(' ') + 1)
}
