import { listMembers } from '../../http/lists.ts'

/** RFC 9110, 8.4.1.1 and 8.4.1.3: two names for one coding. */
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip', 'x-compress': 'compress' }

const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i
const REFUSED = /^0(?:\.0*)?$/

/**
 * Which codings a request accepts, sorted, without how much it likes each: whoever accepts the same set can be given the
 * same answer (RFC 9110, 12.5.3). What it refuses is kept where it counts: `identity`, and anything beside a `*`. A coding
 * nobody knows stays in: the origin may know it.
 */
export function normaliseAcceptEncoding(value: string): string {
  const accepted = new Set<string>()
  const refused = new Set<string>()
  for (const member of listMembers(value)) {
    const { name, weight } = toWeighted(member.toLowerCase())
    const coding = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name
    if (weight !== null && REFUSED.test(weight)) refused.add(coding)
    else accepted.add(coding)
  }
  // Said both ways it is refused: the answer that this request can surely read.
  for (const coding of refused) accepted.delete(coding)
  const counts = [...refused].filter((coding) => accepted.has('*') || coding === 'identity' || coding === '*')
  // `identity` needs no mention unless `*` is refused: it is always acceptable otherwise.
  if (!refused.has('*')) accepted.delete('identity')
  return [...[...accepted].sort(), ...counts.sort().map((coding) => `${coding};q=0`)].join(',')
}

/** Lower-case, without whitespace and `q=1`. The order stays: servers break ties by it (RFC 9110, 12.5.4). */
export function normaliseAcceptLanguage(value: string): string {
  return listMembers(value)
    .map((member) => {
      const { name, weight } = toWeighted(member.toLowerCase())
      return weight === null || /^1(?:\.0*)?$/.test(weight) ? name : `${name};q=${weight}`
    })
    .join(',')
}

/** `name ; q=weight`; whatever else follows the name stays part of it, so that what is not understood is not confused. */
function toWeighted(member: string): { readonly name: string; readonly weight: string | null } {
  const at = member.lastIndexOf(';')
  const match = at === -1 ? null : WEIGHT.exec(member.slice(at + 1).trim())
  if (!match) return { name: member.replace(/\s*;\s*/g, ';').trim(), weight: null }
  return { name: member.slice(0, at).trim(), weight: match[1] ?? null }
}
