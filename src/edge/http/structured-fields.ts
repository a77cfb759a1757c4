/** Structured field values (RFC 9651): the door to their shapes, parser and serialiser. */
export { parseDictionary, parseItem, parseList } from './structured-parse.ts'
export type { BareItem, Dictionary, InnerList, Item, Member, Parameters } from './structured-types.ts'
export { toDictionaryText, toItemText, toListText } from './structured-write.ts'
