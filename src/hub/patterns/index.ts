export { createMatcher, type Matcher } from './matcher.ts'
export { type PatternParsed, parsePattern } from './parse-pattern.ts'
export type { Pattern, PatternFault, PatternFaultCode } from './pattern.ts'
