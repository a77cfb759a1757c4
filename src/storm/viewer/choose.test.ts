import { expect, test } from 'bun:test'
import { createRandom } from '../random.ts'
import type { Population } from '../scenario.ts'
import { choosePosters, chooseTitle, type ListedTitle, populationOf, rankByZipf } from './choose.ts'

const SEED = 7
const DRAWS = 100_000

test("ranks follow Zipf's law", () => {
  for (const exponent of [0, 0.8, 1, 1.5]) {
    const random = createRandom(SEED)
    const counts = new Array<number>(10).fill(0)
    for (let at = 0; at < DRAWS; at += 1) {
      const rank = rankByZipf(10, exponent, random())
      counts[rank] = (counts[rank] ?? 0) + 1
    }
    const weights = counts.map((_, rank) => (rank + 1) ** -exponent)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    // Pearson's statistic, 9 degrees of freedom: above 27.9 in one of 1,000 fair runs.
    const chiSquare = counts.reduce((sum, count, rank) => {
      const expected = (DRAWS * (weights[rank] ?? 0)) / total
      return sum + (count - expected) ** 2 / expected
    }, 0)
    expect({ seed: SEED, exponent, fits: chiSquare < 27.9 }).toEqual({ seed: SEED, exponent, fits: true })
  }
})

const listed: readonly ListedTitle[] = ['p', 'a', 'b', 'c'].map((id) => ({ id, posterUrl: `/art/${id}` }))
const law = { premiereShare: 0.7, zipfExponent: 1 }

test('the premiere gets its share and no more, and who cannot have it takes another', () => {
  const random = createRandom(SEED)
  const choices = Array.from({ length: DRAWS }, () =>
    chooseTitle(listed, 'p', { law, premiereDraw: random(), rankDraw: random() }),
  )
  const share = choices.filter((title) => title?.id === 'p').length / DRAWS
  expect({ seed: SEED, near: Math.abs(share - 0.7) < 0.005 }).toEqual({ seed: SEED, near: true })
  const choice = { law, premiereDraw: 0, rankDraw: 0 }
  expect(chooseTitle(listed, 'unlisted', choice)?.id).toBe('p')
  expect(chooseTitle(listed, null, choice)?.id).toBe('p')
  expect(chooseTitle(listed.slice(0, 1), 'p', { ...choice, premiereDraw: 0.9 })?.id).toBe('p')
  expect(chooseTitle([], 'p', choice)).toBeNull()
})

test('pictures of the first screen are fetched, the chosen one among them', () => {
  expect(choosePosters(listed, listed[3] ?? null)).toEqual(['/art/c', '/art/p', '/art/a'])
  expect(choosePosters(listed, null)).toEqual(['/art/p', '/art/a', '/art/b'])
  expect(choosePosters([{ id: 'x', posterUrl: null }], null)).toEqual([])
})

test('populations come by weight, the same for the same seed and index', () => {
  const population = (weight: number, country: string): Population => ({
    weight,
    country,
    tier: 'free',
    platform: 'tv',
    lineBps: 1,
  })
  const populations = [population(3, 'DE'), population(0, 'XX'), population(1, 'US')]
  const countries = Array.from({ length: 20_000 }, (_, index) => populationOf(populations, SEED, index).country)
  const germans = countries.filter((country) => country === 'DE').length / countries.length
  expect({ seed: SEED, near: Math.abs(germans - 0.75) < 0.015 }).toEqual({ seed: SEED, near: true })
  expect(countries).not.toContain('XX')
  expect(populationOf(populations, SEED, 12)).toBe(populationOf(populations, SEED, 12))
  expect(() => populationOf([], SEED, 0)).toThrow('at least one population')
})
