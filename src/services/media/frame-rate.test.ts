import { expect, test } from 'bun:test'
import { chooseRate, parseRate, toFramesPerSecond, toTimescale } from './frame-rate.ts'

const check = (average: string, nominal: string, expected: string): void => {
  const { numerator, denominator } = chooseRate(parseRate(average), parseRate(nominal))
  expect(`${numerator}/${denominator}`).toBe(expected)
}

test.each([
  ['24/1', '24/1', '24/1'],
  ['24000/1001', '24000/1001', '24000/1001'],
  ['359/15', '24/1', '24000/1001'],
  ['2997/100', '2997/100', '30000/1001'],
  ['29833/1000', '30/1', '30/1'],
  ['120/1', '120/1', '60/1'],
  ['120000/1001', '120000/1001', '60000/1001'],
  ['240/1', '240/1', '60/1'],
  ['50/1', '50/1', '50/1'],
  ['1640/100', '50/1', '16400/1000'],
  ['1/2', '1/2', '10000/1000'],
  ['0/0', '25/1', '25/1'],
  ['0/0', '0/0', '25/1'],
])('an average of %s with a nominal %s is encoded at %s', check)

test('every frame starts at a whole tick', () => {
  for (const text of ['24/1', '30000/1001', '60/1', '16400/1000']) {
    const rate = chooseRate(parseRate(text), null)
    const { timescale, frameTicks } = toTimescale(rate)
    expect(timescale / frameTicks).toBeCloseTo(toFramesPerSecond(rate), 6)
  }
})
