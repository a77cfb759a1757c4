import type { RequestHead } from '../../http/message.ts'
import { toVariantKey } from './vary.ts'

/** What is known of a URI's variants: the union of the fields that its answers vary by, and the keys stored, oldest first. */
export type VariantIndex = { readonly fields: readonly string[]; readonly keys: readonly string[] }

export const NO_VARIANTS: VariantIndex = { fields: [], keys: [] }

export type VariantDecision = {
  readonly index: VariantIndex
  /** Under which to store this response. */
  readonly key: string
  /** Keys that can no longer be found, or are too many: to be dropped. */
  readonly drop: readonly string[]
}

/**
 * Where to store an answer. Answers of one URI may vary by different fields (RFC 9111, 4.1): all are kept under the union,
 * which only ever separates more. When the union grows, what was stored under less cannot be found any more.
 */
export function decideVariant(
  index: VariantIndex,
  stored: { readonly varyFields: readonly string[]; readonly request: Pick<RequestHead, 'fields'> },
  limits: { readonly variantsMax: number; readonly varyFieldsMax: number },
): VariantDecision {
  const fields = toUnion(index.fields, stored.varyFields, limits.varyFieldsMax)
  const key = toVariantKey(fields, stored.request)
  const grown = fields.join() !== index.fields.join()
  const others = grown ? [] : index.keys.filter((known) => known !== key)
  const surplus = Math.max(0, others.length + 1 - Math.max(1, limits.variantsMax))
  const drop = grown ? index.keys.filter((known) => known !== key) : others.slice(0, surplus)
  return { index: { fields, keys: [...others.slice(surplus), key] }, key, drop }
}

/** The key to look a request up by. */
export function toLookupKey(index: VariantIndex, request: Pick<RequestHead, 'fields'>): string {
  return toVariantKey(index.fields, request)
}

/** A union that would grow past the limit begins anew with what the newest answer varies by. */
function toUnion(known: readonly string[], seen: readonly string[], fieldsMax: number): readonly string[] {
  const union = [...new Set([...known, ...seen])].sort()
  return union.length <= fieldsMax ? union : [...seen].sort()
}
