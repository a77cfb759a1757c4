import { draw, seedOf } from '../random.ts'
import type { Population, TitleLaw } from '../scenario.ts'
import { POSTERS_MAX } from './limits.ts'

export type ListedTitle = { readonly id: string; readonly posterUrl: string | null }

/** Keeps who comes apart from what they do: a viewer's own draws begin at `seedOf(seed, index)`. */
const POPULATION_SALT = 0x706f7075

/** The population that viewer `index` belongs to, by weight. Throws when there is none to choose from. */
export function populationOf(populations: readonly Population[], seed: number, index: number): Population {
  const total = populations.reduce((sum, population) => sum + population.weight, 0)
  let left = draw(seedOf(seed ^ POPULATION_SALT, index)).value * total
  for (const population of populations) {
    left -= population.weight
    if (left < 0) return population
  }
  const last = populations.findLast((population) => population.weight > 0) ?? populations.at(-1)
  if (last === undefined) throw new Error('a storm needs at least one population, got none; add one to the scenario')
  return last
}

/** A rank from 0 to `count` - 1 by Zipf's law: rank r weighs (r + 1)^-exponent. `share` is from 0 up to 1. */
export function rankByZipf(count: number, exponent: number, share: number): number {
  let total = 0
  for (let rank = 1; rank <= count; rank += 1) total += rank ** -exponent
  let left = share * total
  for (let rank = 1; rank < count; rank += 1) {
    left -= rank ** -exponent
    if (left < 0) return rank - 1
  }
  return count - 1
}

/**
 * The title for a viewer with these draws, or null when nothing is listed. The premiere's share is exactly its own: who
 * does not come for it chooses among the others, and takes it only when there are none.
 */
export function chooseTitle(
  listed: readonly ListedTitle[],
  premiereId: string | null,
  choice: { readonly law: TitleLaw; readonly premiereDraw: number; readonly rankDraw: number },
): ListedTitle | null {
  const premiere = listed.find((title) => title.id === premiereId)
  if (premiere !== undefined && choice.premiereDraw < choice.law.premiereShare) return premiere
  const others = premiere === undefined ? listed : listed.filter((title) => title !== premiere)
  if (others.length === 0) return premiere ?? null
  return others[rankByZipf(others.length, choice.law.zipfExponent, choice.rankDraw)] ?? null
}

/** Paths of the pictures that are fetched: the chosen title's, and the first others of the page. */
export function choosePosters(listed: readonly ListedTitle[], chosen: ListedTitle | null): readonly string[] {
  const posters: string[] = []
  if (chosen?.posterUrl) posters.push(chosen.posterUrl)
  for (const { posterUrl } of listed) {
    if (posters.length >= POSTERS_MAX) break
    if (posterUrl !== null && !posters.includes(posterUrl)) posters.push(posterUrl)
  }
  return posters
}
