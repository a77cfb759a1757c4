/**
 * A media address with its signature replaced: `/v/<any token>/…` becomes `/v/<token>/…`. The addresses in playlists were
 * made when the playlist was read; the heartbeat has renewed the token since. Other addresses stay as they are.
 */
export function withToken(address: string, token: string): string {
  return address.replace(/^((?:https?:\/\/[^/]+)?\/v\/)[^/]+(?=\/)/, (_, prefix: string) => prefix + token)
}

/** The token in a media address, or null. */
export function tokenOf(address: string): string | null {
  return /^(?:https?:\/\/[^/]+)?\/v\/([^/]+)\//.exec(address)?.[1] ?? null
}
