import { type ReactElement, useEffect, useRef } from 'react'
import { Link, useLocation } from '../common/history.tsx'
import { Icon, type IconName, Mark } from '../common/icons.tsx'
import { EdgePage } from './edge/edge.tsx'
import { EventsPage } from './events/events.tsx'
import { flowPath } from './hub/address.ts'
import { DeadLetterPage } from './hub/dead-letter.tsx'
import { DeadLettersPage } from './hub/dead-letters.tsx'
import { FlowPage } from './hub/flow.tsx'
import { JourneyPage } from './hub/journey.tsx'
import type { Connection } from './live/state.ts'
import { OverviewPage } from './overview/overview.tsx'
import { edgePath, matchRoute, type Route, titlesPath } from './route.ts'
import { useLive } from './shell/context.tsx'
import { Empty, PageHead, StaleBanner } from './shell/parts.tsx'
import { StateMark, type Tone } from './shell/state-mark.tsx'
import { TitlePage } from './titles/title.tsx'
import { TitlesPage } from './titles/titles.tsx'
import { DropZone } from './uploads/drop.tsx'
import { UploadDock } from './uploads/upload-dock.tsx'

export function App(): ReactElement {
  const live = useLive()
  const location = useLocation()
  const route = matchRoute(location)
  useArrival(location)
  if (live.connection === 'refused') return <SignedOut />
  return (
    <DropZone>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <div className="frame">
        <SideRail route={route} connection={live.connection} />
        <main id="main" tabIndex={-1}>
          <StaleBanner live={live} />
          <Page route={route} />
        </main>
      </div>
      <UploadDock />
    </DropZone>
  )
}

function Page({ route }: { route: Route }): ReactElement {
  switch (route.page) {
    case 'overview':
      return <OverviewPage />
    case 'titles':
      return <TitlesPage />
    case 'title':
      return <TitlePage key={route.titleId} titleId={route.titleId} />
    case 'flow':
      return <FlowPage />
    case 'dead-letters':
      return <DeadLettersPage />
    case 'dead-letter':
      return <DeadLetterPage key={route.letterId} letterId={route.letterId} />
    case 'journey':
      return <JourneyPage eventId={route.eventId} />
    case 'events':
      return <EventsPage />
    case 'edge':
      return <EdgePage />
    case 'missing':
      return (
        <>
          <PageHead title="Not here" />
          <Empty heading="There is no such page">The address is not quite right. The rail leads to all there is.</Empty>
        </>
      )
  }
}

const ENTRIES: readonly { name: string; icon: IconName; href: string; pages: readonly Route['page'][] }[] = [
  { name: 'Overview', icon: 'overview', href: '/', pages: ['overview'] },
  { name: 'Titles', icon: 'titles', href: titlesPath(), pages: ['titles', 'title'] },
  {
    name: 'Events',
    icon: 'events',
    href: flowPath(),
    pages: ['flow', 'dead-letters', 'dead-letter', 'journey', 'events'],
  },
  { name: 'Edge', icon: 'edge', href: edgePath(), pages: ['edge'] },
]

function SideRail({ route, connection }: { route: Route; connection: Connection }): ReactElement {
  const { tone, word } = LINES[connection]
  return (
    <aside className="side">
      <div className="side-mark">
        <Mark size={24} />
        <span>Tentpole</span>
      </div>
      <nav aria-label="Console">
        <ul>
          {ENTRIES.map(({ name, icon, href, pages }) => (
            <li key={name}>
              <Link href={href} aria-current={pages.includes(route.page) ? 'page' : undefined}>
                <Icon name={icon} size={20} />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="side-line" role="status" data-testid="connection" data-connection={connection}>
        <StateMark tone={tone}>{word}</StateMark>
      </div>
    </aside>
  )
}

const LINES: Readonly<Record<Connection, { tone: Tone; word: string }>> = {
  connecting: { tone: 'idle', word: 'Connecting' },
  live: { tone: 'good', word: 'Live' },
  reconnecting: { tone: 'warn', word: 'Reconnecting' },
  refused: { tone: 'bad', word: 'Signed out' },
}

function SignedOut(): ReactElement {
  return (
    <main className="signed-out" data-testid="signed-out">
      <Mark size={48} />
      <h1>This browser is not signed in</h1>
      <p>On the machine that runs the platform, in its directory, run</p>
      <pre>
        <code>npx tentpole console</code>
      </pre>
      <p>and open the link it prints. It works once, within a minute.</p>
    </main>
  )
}

/** A screen reader starts at the heading of the page a link led to. A change of the query alone is the same page. */
function useArrival(location: string): void {
  const path = location.split('?', 1)[0] ?? ''
  const arrived = useRef(path)
  useEffect(() => {
    if (arrived.current === path) return
    arrived.current = path
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [path])
}
