/** Structured fields written (RFC 9651, 4.1); null for a value that has no text, which is a field not to be sent. */
import type { BareItem, Dictionary, InnerList, Item, Member, Parameters } from './structured-types.ts'

const INTEGER_MAX = 999_999_999_999_999
const DECIMAL_THOUSANDTHS_MAX = 999_999_999_999_999
const KEY = /^[a-z*][a-z0-9_\-.*]*$/
const STRING = /^[ -~]*$/
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/

/** RFC 9651, 4.1.3. */
export function toItemText(item: Item): string | null {
  const bare = toBareText(item.bare)
  const parameters = toParametersText(item.parameters)
  return bare === null || parameters === null ? null : bare + parameters
}

/** RFC 9651, 4.1.1; empty for an empty list, and then the field is not sent at all. */
export function toListText(members: readonly Member[]): string | null {
  return join(members.map(toMemberText), ', ')
}

/** RFC 9651, 4.1.2; empty as above. */
export function toDictionaryText(members: Dictionary): string | null {
  return join([...members].map(toEntryText), ', ')
}

function toEntryText([key, member]: readonly [string, Member]): string | null {
  if (!KEY.test(key)) return null
  if (member.kind === 'item' && member.bare.type === 'boolean' && member.bare.value) {
    const parameters = toParametersText(member.parameters)
    return parameters === null ? null : key + parameters
  }
  const text = toMemberText(member)
  return text === null ? null : `${key}=${text}`
}

function toMemberText(member: Member): string | null {
  return member.kind === 'item' ? toItemText(member) : toInnerListText(member)
}

/** RFC 9651, 4.1.1.1. */
function toInnerListText(list: InnerList): string | null {
  const items = join(list.items.map(toItemText), ' ')
  const parameters = toParametersText(list.parameters)
  return items === null || parameters === null ? null : `(${items})${parameters}`
}

/** RFC 9651, 4.1.1.2. */
function toParametersText(parameters: Parameters): string | null {
  if (parameters.size === 0) return ''
  const texts = [...parameters].map(([key, value]) => {
    if (!KEY.test(key)) return null
    if (value.type === 'boolean' && value.value) return `;${key}`
    const text = toBareText(value)
    return text === null ? null : `;${key}=${text}`
  })
  return join(texts, '')
}

/** RFC 9651, 4.1.3.1. */
function toBareText(bare: BareItem): string | null {
  switch (bare.type) {
    case 'integer':
      return toIntegerText(bare.value)
    case 'decimal':
      return toDecimalText(bare.value)
    case 'string':
      return STRING.test(bare.value) ? `"${bare.value.replace(/["\\]/g, '\\$&')}"` : null
    case 'token':
      return TOKEN.test(bare.value) ? bare.value : null
    case 'bytes':
      return `:${Buffer.from(bare.value).toString('base64')}:`
    case 'boolean':
      return bare.value ? '?1' : '?0'
    case 'date': {
      const text = toIntegerText(bare.value)
      return text === null ? null : `@${text}`
    }
    case 'display-string':
      return toDisplayText(bare.value)
  }
}

/** RFC 9651, 4.1.4. */
function toIntegerText(value: number): string | null {
  return Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX ? String(value + 0) : null
}

/** RFC 9651, 4.1.5: three digits after the point at most, at least one; halves go to the even neighbour. */
function toDecimalText(value: number): string | null {
  const thousandths = roundHalfToEven(Math.abs(value) * 1000)
  if (!(thousandths <= DECIMAL_THOUSANDTHS_MAX)) return null
  const fraction = String(thousandths % 1000).padStart(3, '0')
  const sign = value < 0 && thousandths > 0 ? '-' : ''
  return `${sign}${Math.floor(thousandths / 1000)}.${fraction.replace(/0{1,2}$/, '')}`
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** RFC 9651, 4.1.11. */
function toDisplayText(value: string): string | null {
  if (!value.isWellFormed()) return null
  const encoded = value.replace(/[^ !#$&-~]+/gu, (text) =>
    Buffer.from(text, 'utf8').toString('hex').replace(/../g, '%$&'),
  )
  return `%"${encoded}"`
}

function join(texts: readonly (string | null)[], separator: string): string | null {
  return texts.includes(null) ? null : texts.join(separator)
}
