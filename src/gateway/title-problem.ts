import type { CatalogTitle } from '../services/catalog/index.ts'
import { toProblem } from './problem.ts'

/** Why a title that is not listed is refused. What is still being made, or failed, does not exist for viewers. */
export function toTitleProblem(titleId: string, title: CatalogTitle | undefined): Response {
  if (title?.state === 'withdrawn')
    return toProblem('title-withdrawn', `The title ${titleId} was withdrawn and cannot be watched any more.`)
  return toProblem(
    'title-not-found',
    `No title ${JSON.stringify(titleId.slice(0, 64))} can be watched; GET /v1/home lists those that can.`,
  )
}
