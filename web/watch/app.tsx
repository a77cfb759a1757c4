import { type ReactElement, useEffect, useRef, useState } from 'react'
import { Link, useLocation } from '../common/history.tsx'
import { Mark } from '../common/icons.tsx'
import type { Problem } from '../common/problem.ts'
import { HomePage } from './home/home.tsx'
import { matchRoute, type Route, wantsStart } from './route.ts'
import { useWatch } from './shell/context.tsx'
import { moveFocus, toDirection } from './shell/focus.ts'
import { Notice } from './shell/notice.tsx'
import { TitlePage } from './title/title.tsx'

export function App(): ReactElement {
  const location = useLocation()
  const route = matchRoute(location)
  useArrival(location)
  if (route.page !== 'watch') return <Browsing route={route} />
  return <Watching key={route.titleId} titleId={route.titleId} fromStart={wantsStart(location)} />
}

/** The player, at once where it was fetched ahead. */
function Watching({ titleId, fromStart }: { titleId: string; fromStart: boolean }): ReactElement {
  const { player } = useWatch()
  const [chunk, setChunk] = useState({ page: player.loaded(), problem: null as Problem | null })
  useEffect(() => {
    if (chunk.page !== null || chunk.problem !== null) return
    void player.load().then((loaded) => {
      setChunk(loaded.ok ? { page: loaded.value, problem: null } : { page: null, problem: loaded.problem })
    })
  }, [player, chunk])
  if (chunk.page !== null) return <chunk.page titleId={titleId} fromStart={fromStart} />
  if (chunk.problem === null) return <div className="player-waiting" />
  return (
    <main>
      <Notice
        heading="The film did not start"
        data-testid="error"
        actions={
          <button type="button" className="button button-primary" onClick={() => window.location.reload()}>
            Load the page again
          </button>
        }
      >
        {chunk.problem.detail}
      </Notice>
    </main>
  )
}

/** Home and title pages: a top bar, and arrow keys that move the focus as a remote does. */
function Browsing({ route }: { route: Route }): ReactElement {
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const direction = toDirection(event.key)
      if (direction === null || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return
      if (main.current !== null && moveFocus(main.current, direction)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  const { player } = useWatch()
  useEffect(() => {
    // Ahead of the press, and only once this page itself is there. If it fails, it is fetched when play is pressed.
    const timer = setTimeout(() => void player.load(), 150)
    return () => clearTimeout(timer)
  }, [player])
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the films
      </a>
      <header className="top">
        <Link className="wordmark" href="/" aria-label="Tentpole, home">
          <Mark size={26} />
          Tentpole
        </Link>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  )
}

function Page({ route }: { route: Route }): ReactElement {
  if (route.page === 'home') return <HomePage />
  if (route.page === 'title') return <TitlePage key={route.titleId} titleId={route.titleId} />
  return (
    <Notice
      heading="There is no such page"
      data-testid="error"
      actions={
        <Link className="button button-primary" href="/">
          All films
        </Link>
      }
    >
      The address is not quite right, or it led to something that is gone.
    </Notice>
  )
}

/** A screen reader starts at the heading of the page a link led to. */
function useArrival(location: string): void {
  const arrived = useRef(location)
  useEffect(() => {
    if (arrived.current === location) return
    arrived.current = location
    if (matchRoute(location).page === 'watch') return
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [location])
}
