/** The shapes of structured field values (RFC 9651, 3). */

export type BareItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'display-string'; readonly value: string }
  | { readonly type: 'bytes'; readonly value: Uint8Array }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** Seconds since 1970, which may be negative. */
  | { readonly type: 'date'; readonly value: number }

export type Parameters = ReadonlyMap<string, BareItem>
export type Item = { readonly kind: 'item'; readonly bare: BareItem; readonly parameters: Parameters }
export type InnerList = {
  readonly kind: 'inner-list'
  readonly items: readonly Item[]
  readonly parameters: Parameters
}
export type Member = Item | InnerList
export type Dictionary = ReadonlyMap<string, Member>
