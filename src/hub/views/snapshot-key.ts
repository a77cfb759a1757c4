/** Which snapshot of which version of a view an object is. */
export type SnapshotName = { readonly version: number; readonly sequence: number; readonly digest: string }

const REST = /^v([1-9]\d{0,8})\/(\d{16})-([0-9a-f]{16})$/

/** All snapshots of a view begin with it. */
export const viewPrefix = (view: string): string => `views/${view}/`
/** All of one version; their keys sort as their sequence does. */
export const versionPrefix = (view: string, version: number): string => `${viewPrefix(view)}v${version}/`

export function toSnapshotKey(view: string, { version, sequence, digest }: SnapshotName): string {
  return `${versionPrefix(view, version)}${String(sequence).padStart(16, '0')}-${digest}`
}

/** Null for what is no snapshot of the view. */
export function parseSnapshotKey(view: string, key: string): SnapshotName | null {
  const prefix = viewPrefix(view)
  const [, version, sequence, digest] = key.startsWith(prefix) ? (REST.exec(key.slice(prefix.length)) ?? []) : []
  if (digest === undefined) return null
  return { version: Number(version), sequence: Number(sequence), digest }
}

const KEPT = 2

/**
 * What can go once a snapshot of `version` is written: its own but for the newest two, and those of versions before the one
 * before it, which is kept for a release that is rolled back. Later versions are another release's.
 */
export function decideRemovals(view: string, keys: readonly string[], version: number): string[] {
  const named = keys.flatMap((key) => {
    const name = parseSnapshotKey(view, key)
    return name ? [{ key, ...name }] : []
  })
  const earlier = [...new Set(named.map((each) => each.version))].filter((each) => each < version)
  const before = Math.max(0, ...earlier)
  const own = named.filter((each) => each.version === version).sort((a, b) => (a.key < b.key ? 1 : -1))
  const obsolete = named.filter((each) => each.version < before)
  return [...own.slice(KEPT), ...obsolete].map(({ key }) => key)
}
