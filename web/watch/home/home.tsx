import type { ReactElement } from 'react'
import { type Resource, useResource } from '../api/resources.ts'
import type { Home } from '../api/types.ts'
import { useWatch } from '../shell/context.tsx'
import { Notice } from '../shell/notice.tsx'
import { Hero } from './hero.tsx'
import { Rail } from './rail.tsx'

/** A house without a film, or without an answer, looks again this often. */
const LOOK_AGAIN_MS = 3_000

export function HomePage(): ReactElement {
  const { api, resources } = useWatch()
  const { resource, retry } = useResource<Home>({ resources, key: 'home', ask: api.home, again })
  if (resource.value === null)
    return resource.problem === null ? <HomeSkeleton /> : <HomeProblem retry={retry} resource={resource} />
  const { hero, rails } = resource.value
  const filled = rails.filter((rail) => rail.titles.length > 0)
  if (hero === null && filled.length === 0) return <EmptyHome />
  return (
    <>
      {hero === null ? <h1 className="hidden-text">Home</h1> : <Hero title={hero} />}
      <div className={hero === null ? 'rails rails-alone' : 'rails'}>
        {filled.map((rail) => (
          <Rail key={rail.id} rail={rail} />
        ))}
      </div>
    </>
  )
}

function again(known: Resource<Home>): number | null {
  return known.problem !== null || known.value?.hero === null ? LOOK_AGAIN_MS : null
}

function EmptyHome(): ReactElement {
  return (
    <Notice heading="The lights are down" data-testid="home-empty">
      No film has been published yet. The first one appears here by itself, the moment it can be watched.
    </Notice>
  )
}

function HomeProblem({ resource, retry }: { resource: Resource<Home>; retry: () => void }): ReactElement {
  return (
    <Notice
      heading="We cannot show the films right now"
      data-testid="error"
      actions={
        <button type="button" className="button button-primary" onClick={retry}>
          Try again
        </button>
      }
    >
      {resource.problem?.detail} We keep trying by ourselves.
    </Notice>
  )
}

function HomeSkeleton(): ReactElement {
  return (
    <div aria-busy="true">
      <span className="hidden-text">Loading the films</span>
      <div className="hero" aria-hidden="true">
        <div className="hero-text">
          <div className="skeleton skeleton-heading" />
          <div className="skeleton skeleton-line" />
          <div className="skeleton skeleton-button" />
        </div>
      </div>
      <div className="rails" aria-hidden="true">
        <div className="rail">
          <div className="skeleton skeleton-line skeleton-short" />
          <div className="rail-track">
            {[0, 1, 2, 3, 4, 5].map((index) => (
              <div key={index} className="card">
                <div className="card-frame skeleton" />
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}
