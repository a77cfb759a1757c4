import { Fault } from '../../kernel/index.ts'
import { checkTitle } from './verify.ts'
import { planned, type Work, type WorkContext } from './work.ts'

const KEYS_PER_PAGE = 1000

/**
 * The whole title, once everything is made: each track complete and on the grid, each object that counts in its place.
 * What attempts that did not count have left is removed.
 */
export const workVerify: Work = async (context) => {
  const { plan } = planned(context.title)
  const { title, titles, objects } = context
  const { tracks, keys } = await titles.recorded(title.titleId)
  const complaint = checkTitle(plan, tracks)
  if (complaint) throw new Fault('title-incomplete', `${title.titleId}: ${complaint}`)
  const stored = new Set<string>()
  for await (const key of keysOf(context)) stored.add(key)
  const missing = [...keys].find((key) => !stored.has(key))
  if (missing) throw new Fault('title-incomplete', `${title.titleId}: the object ${missing} is gone`)
  const source = `titles/${title.titleId}/source/`
  for (const key of stored) if (!keys.has(key) && !key.startsWith(source)) await objects.delete(key)
  return { kind: 'verified' }
}

/** After a refusal or a failure: nothing of the title is left, once nobody works on it any more. */
export const workCleanup: Work = async (context) => {
  const { title, titles, objects, limits } = context
  if ((await titles.stopping(title.titleId)) > 0) return { kind: 'later', delayMs: Math.ceil(limits.taskLeaseMs / 10) }
  for await (const key of keysOf(context)) await objects.delete(key)
  return { kind: 'cleaned' }
}

async function* keysOf({ objects, title }: WorkContext): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const page = await objects.list(`titles/${title.titleId}/`, {
      ...(after === '' ? {} : { after }),
      max: KEYS_PER_PAGE,
    })
    yield* page
    if (page.length < KEYS_PER_PAGE) return
    after = page.at(-1) ?? after
  }
}
