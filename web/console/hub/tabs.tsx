import type { ReactElement, ReactNode } from 'react'
import { Link } from '../../common/history.tsx'
import { eventsPath, type Route } from '../route.ts'
import { PageHead } from '../shell/parts.tsx'
import { flowPath, journeyPath, lettersPath } from './address.ts'
import './hub.css'

const TABS: readonly { name: string; href: string; pages: readonly Route['page'][] }[] = [
  { name: 'Flow', href: flowPath(), pages: ['flow'] },
  { name: 'Dead letters', href: lettersPath(), pages: ['dead-letters', 'dead-letter'] },
  { name: 'Journey', href: journeyPath(null), pages: ['journey'] },
  { name: 'Live', href: eventsPath(null), pages: ['events'] },
]

/** The head that the pages of the hub share. */
export function HubHead({ page, children }: { page: Route['page']; children?: ReactNode }): ReactElement {
  return (
    <>
      <PageHead title="Events">{children}</PageHead>
      <nav className="tabs" aria-label="Events">
        <ul>
          {TABS.map(({ name, href, pages }) => (
            <li key={name}>
              <Link href={href} aria-current={pages.includes(page) ? 'page' : undefined}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </>
  )
}
