import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { createMatcher, type Matcher } from './matcher.ts'
import type { Pattern } from './pattern.ts'
import { anyEvent, anyPattern, matchesNaively, toBytes } from './testing.ts'

const anyPatterns = fc.array(anyPattern, { minLength: 1, maxLength: 30 })
const anyEvents = fc.array(anyEvent, { minLength: 1, maxLength: 8 })

function fill(patterns: readonly Pattern[]): Matcher {
  const matcher = createMatcher()
  for (const [at, pattern] of patterns.entries()) matcher.add(String(at), pattern)
  return matcher
}

const sorted = (names: readonly string[]): string[] => [...names].sort()

test('the automaton finds what trying every rule finds, from bytes and from what is parsed', () => {
  fc.assert(
    fc.property(anyPatterns, anyEvents, (patterns, events) => {
      const matcher = fill(patterns)
      for (const event of events) {
        const expected = patterns.flatMap((pattern, at) => (matchesNaively(pattern, event) ? [String(at)] : []))
        expect(sorted(matcher.matchParsed(event))).toEqual(sorted(expected))
        expect(sorted(matcher.match(toBytes(event)))).toEqual(sorted(expected))
      }
    }),
    { numRuns: 400 },
  )
}, 30_000)

test('rules that came and went leave nothing behind', () => {
  const changes = fc.array(fc.tuple(fc.nat({ max: 12 }), fc.option(anyPattern)), { maxLength: 40 })
  fc.assert(
    fc.property(changes, anyEvents, (steps, events) => {
      const matcher = createMatcher()
      const left = new Map<string, Pattern>()
      for (const [number, pattern] of steps) {
        const name = String(number)
        if (pattern !== null) {
          matcher.add(name, pattern)
          left.set(name, pattern)
        } else expect(matcher.remove(name)).toBe(left.delete(name))
        matcher.matchParsed(events[0])
      }
      const fresh = createMatcher()
      for (const [name, pattern] of left) fresh.add(name, pattern)
      expect(matcher.rules).toBe(left.size)
      for (const event of events)
        expect(sorted(matcher.match(toBytes(event)))).toEqual(sorted(fresh.match(toBytes(event))))
    }),
    { numRuns: 200 },
  )
}, 30_000)

test('bytes that are anything at all: never an exception, never what JSON.parse would not have found', () => {
  const broken = fc.tuple(anyEvent, fc.nat(), fc.nat({ max: 255 })).map(([event, place, byte]) => {
    const bytes = toBytes(event)
    bytes[place % bytes.length] = byte
    return bytes
  })
  const tokens = fc.constantFrom(...['{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', '-0.5e3', 'null', '"', '\\', ' '])
  const noise = fc.array(tokens, { maxLength: 20 }).map((parts) => new Uint8Array(Buffer.from(parts.join(''))))
  const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), broken, noise)
  fc.assert(
    fc.property(anyPatterns, fc.array(anyBytes, { maxLength: 10 }), (patterns, inputs) => {
      const matcher = fill(patterns)
      for (const bytes of inputs) {
        const found = sorted(matcher.match(bytes))
        const json = toJson(bytes)
        if (json !== undefined) expect(found).toEqual(sorted(matcher.matchParsed(json)))
        // Beside JSON, only what is wrong in nothing but its UTF-8 may match, and that where no rule looks.
        else if (found.length > 0) expect(toJson(bytes, false)).toBeObject()
      }
    }),
    { numRuns: 300 },
  )
}, 30_000)

function toJson(bytes: Uint8Array, fatal = true): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(bytes))
  } catch {
    return undefined
  }
}
