import type { StaffTitle } from '../../contracts/index.ts'
import { findPlatform } from '../staff.ts'
import { toTable } from '../table.ts'
import { parseCommand, type Verb } from './command.ts'

export const titles: Verb = async ({ args, environment, terminal }) => {
  const { values } = parseCommand(args, { json: { type: 'boolean' } })
  const staff = await findPlatform(environment)
  const list = (await staff.call<{ titles: StaffTitle[] }>('GET', '/api/titles')).titles
  if (values.json) for (const title of list) terminal.print(JSON.stringify(title))
  else if (list.length === 0) terminal.print('no titles yet; publish one: tentpole publish FILE --title NAME')
  else for (const line of toTable(['id', 'state', 'done', 'name', ''], list.map(toRow))) terminal.print(line)
  return 0
}

const toRow = (title: StaffTitle): string[] => [
  title.id,
  title.state,
  `${Math.floor(title.percent)}%`,
  title.name,
  title.reason ?? '',
]
