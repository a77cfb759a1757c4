import { createProgressPrinter } from '../publish/print.ts'
import { type CaptionsFile, publishTitle } from '../publish/publish-title.ts'
import { findPlatform } from '../staff.ts'
import { UsageError } from '../usage.ts'
import { parseCommand, type Verb } from './command.ts'

export const publish: Verb = async ({ args, environment, terminal }) => {
  const { values, operands } = parseCommand(
    args,
    {
      title: { type: 'string' },
      description: { type: 'string', default: '' },
      captions: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean' },
    },
    ['FILE'],
  )
  const [file = ''] = operands
  const name = values.title
  if (name === undefined) throw new UsageError('expected --title NAME')
  const captions = values.captions.map(parseCaptions)
  const staff = await findPlatform(environment)
  const show = createProgressPrinter(terminal, { json: values.json === true })
  let exitCode = 1
  for await (const event of publishTitle({ staff, file, name, description: values.description, captions })) {
    show(event)
    if (event.type === 'published') exitCode = 0
    if (event.type === 'failed') terminal.complain(`refused: ${event.reason} (${event.code})`)
  }
  return exitCode
}

/** FILE[:LANGUAGE[:LABEL]] */
export function parseCaptions(text: string): CaptionsFile {
  const found = /^([^:].*?)(?::([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*))?(?::([^:/]+))?$/.exec(text)
  const [, file = '', language = null, label = null] = found ?? []
  if (file === '' || (label !== null && language === null))
    throw new UsageError(
      `--captions: expected FILE[:LANGUAGE[:LABEL]] such as film.srt:de:Deutsch, got ${JSON.stringify(text)}`,
    )
  return { file, language, label }
}
