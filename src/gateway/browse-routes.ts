import type { z } from 'zod'
import { homeResponseSchema, type Plan, type titleCardSchema, titleResponseSchema } from '../contracts/index.ts'
import type { Limits } from '../kernel/index.ts'
import type { ViewerTokens } from '../services/accounts/index.ts'
import type { Catalog, CatalogTitle } from '../services/catalog/index.ts'
import { listedHeights } from '../services/playback/index.ts'
import { type Progress, toResumeMs } from '../services/signals/index.ts'
import { withViewer } from './authenticate.ts'
import { type Route, toJson } from './route.ts'
import { toTitleProblem } from './title-problem.ts'

type Card = z.infer<typeof titleCardSchema>
type Home = z.infer<typeof homeResponseSchema>

/** Looking around: the home page and a title's page. Answered from memory, whatever else is down. */
export function browseRoutes(options: {
  catalog: Pick<Catalog, 'get' | 'getListed' | 'listed'>
  progress: Pick<Progress, 'resumeMs' | 'watched'>
  tokens: ViewerTokens
  limits: Pick<Limits, 'railTitlesMax' | 'renditionAheadMs'>
}): Route[] {
  const { catalog, progress, tokens, limits } = options
  const homeOf = createHome({ catalog, progress, titlesMax: limits.railTitlesMax })
  return [
    {
      method: 'GET',
      path: '/v1/home',
      operationId: 'getHome',
      summary: "The home page: the newest title and the viewer's rails",
      tokenNeeded: true,
      answer: { status: 200, schema: homeResponseSchema, description: 'Rails in the order to show them' },
      problems: [],
      handle: withViewer(tokens, (viewer) => toJson(homeOf(viewer.sub))),
    },
    {
      method: 'GET',
      path: '/v1/titles/:id',
      operationId: 'getTitle',
      summary: 'One title',
      tokenNeeded: true,
      answer: { status: 200, schema: titleResponseSchema, description: 'The title as its page shows it' },
      problems: ['title-not-found', 'title-withdrawn'],
      handle: withViewer(tokens, (viewer, call) => {
        const id = call.parameter('id')
        const title = catalog.getListed(id)
        if (!title?.plan) return toTitleProblem(id, catalog.get(id))
        const planned = { ...title, plan: title.plan }
        return toJson({
          ...toCard(planned, progress.resumeMs(viewer.sub, { id, durationMs: title.plan.durationMs })),
          captions: title.plan.captions
            .filter((track) => title.captions.has(track.id))
            .map(({ language, label }) => ({ language, label })),
          heights: listedHeights(planned, limits),
        } satisfies z.infer<typeof titleResponseSchema>)
      }),
    },
  ]
}

/** The home page as JSON. Most viewers of a crowd have watched nothing yet: theirs is one text, made once per change of the catalogue. */
function createHome(options: {
  catalog: Pick<Catalog, 'getListed' | 'listed'>
  progress: Pick<Progress, 'watched'>
  titlesMax: number
}): (viewerId: string) => string {
  const { catalog, progress, titlesMax } = options
  let madeFrom: readonly CatalogTitle[] | null = null
  let cards: readonly Card[] = []
  let forNewcomers = ''
  const refresh = (): void => {
    const listed = catalog.listed()
    if (listed === madeFrom) return
    madeFrom = listed
    cards = listed
      .slice(0, titlesMax)
      .flatMap((title) => (title.plan ? [toCard({ ...title, plan: title.plan }, null)] : []))
    forNewcomers = JSON.stringify(toHome(cards, []))
  }
  return (viewerId) => {
    refresh()
    const watched = progress.watched(viewerId)
    if (watched.length === 0) return forNewcomers
    const begun = watched.flatMap((each) => {
      const title = catalog.getListed(each.titleId)
      const resumeMs = title?.plan ? toResumeMs(each, title.plan.durationMs) : null
      return title?.plan && resumeMs !== null ? [toCard({ ...title, plan: title.plan }, resumeMs)] : []
    })
    const resumeMsOf = new Map(begun.map((card) => [card.id, card.resumeMs]))
    const own = cards.map((card) =>
      resumeMsOf.has(card.id) ? { ...card, resumeMs: resumeMsOf.get(card.id) ?? null } : card,
    )
    return JSON.stringify(toHome(own, begun.slice(0, titlesMax)))
  }
}

function toHome(newest: readonly Card[], begun: readonly Card[]): Home {
  return {
    hero: newest[0] ?? null,
    rails: [
      { id: 'continue', name: 'Continue watching', titles: [...begun] },
      { id: 'new', name: 'New', titles: [...newest] },
    ],
  }
}

function toCard(title: CatalogTitle & { readonly plan: Plan }, resumeMs: number | null): Card {
  const { id, metadata, plan, poster, state } = title
  return {
    id,
    name: metadata.name,
    description: metadata.description,
    durationMs: plan.durationMs,
    posterUrl: poster ? `/art/${id}/poster.jpg` : null,
    state: state === 'published' ? 'published' : 'playable',
    createdAtMs: metadata.createdAtMs,
    resumeMs,
  }
}
