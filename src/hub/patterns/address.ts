import { type Address, parseAddress } from '../../contracts/index.ts'

/** The longest that anything reads: `parseAddress` says why. */
export const ADDRESS_CHARACTERS_MAX = 45

/** An address as EventBridge reads it: zeros before a number of dotted decimals mean nothing, where `parseAddress` refuses what some read as octal. */
export function readAddress(text: string): Address | null {
  if (text.length > ADDRESS_CHARACTERS_MAX) return null
  const isDotted = text.includes('.') && !text.includes(':')
  return parseAddress(isDotted ? text.replace(/(^|\.)0+(?=\d)/g, '$1') : text)
}
