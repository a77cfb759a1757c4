import { expect, test } from 'bun:test'
import { createLogger, type LogFormat, type LogLevel, silentLogger } from './log.ts'

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

function record(format: LogFormat, level?: LogLevel) {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  return { lines, logger: createLogger({ role: 'cell-a', format, write, now: () => NOW_MS, ...(level && { level }) }) }
}

test('text: time, role, message, fields; one line whatever the message holds', () => {
  const { lines, logger } = record('text')
  logger.info('ready\nto go', { port: 80, name: 'a b', nothing: null, left: undefined })
  logger.with({ cell: 'a' }).warn('slow', { ms: 9 })
  expect(lines).toEqual([
    '03:04:05.678 cell-a     ready\\nto go port=80 name="a b" nothing=null',
    '03:04:05.678 cell-a     WARN slow cell=a ms=9',
  ])
})

test('json: one object a line', () => {
  const { lines, logger } = record('json')
  logger.with({ cell: 'a' }).error('broken', { cell: 'b', count: 2 })
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: '2026-01-02T03:04:05.678Z', level: 'error', role: 'cell-a', message: 'broken', cell: 'b', count: 2 },
  ])
})

test('what is below the level is left out', () => {
  const { lines, logger } = record('text', 'warn')
  logger.debug('a')
  logger.info('b')
  logger.warn('c')
  logger.error('d')
  expect(lines.map((line) => line.at(-1))).toEqual(['c', 'd'])
  const byDefault = record('text')
  byDefault.logger.debug('a')
  expect(byDefault.lines).toEqual([])
})

test('the silent logger takes everything', () => {
  expect(silentLogger.with({ a: 1 })).toBe(silentLogger)
  expect(silentLogger.error('x')).toBeUndefined()
})
