/** A node, or text; what a report says is only ever text. */
export type Child = Node | string

/** An element with its attributes and children. `true` sets an empty attribute. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | true>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value === true ? '' : value)
  made.append(...children)
  return made
}

/** A sign beside a word, never instead of it: the page's templates hold the drawings. */
export function sign(kind: 'good' | 'bad' | 'unknown'): Node {
  const template = document.getElementById(`sign-${kind}`)
  return template instanceof HTMLTemplateElement ? template.content.cloneNode(true) : document.createTextNode('')
}

export type Column = { readonly head: string; readonly figures?: true }

/** A table in a box of its own that scrolls where the screen is narrow, and that a keyboard can scroll. */
export function table(label: string, columns: readonly Column[], rows: readonly (readonly Child[])[]): HTMLElement {
  const classOf = (column: number): Record<string, string> => (columns[column]?.figures ? { class: 'figures' } : {})
  const head = columns.map((column, at) => element('th', { scope: 'col', ...classOf(at) }, column.head))
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...row.map((cell, at) =>
        at === 0 ? element('th', { scope: 'row', ...classOf(at) }, cell) : element('td', classOf(at), cell),
      ),
    ),
  )
  return element(
    'div',
    { class: 'box', role: 'group', 'aria-label': label, tabindex: '0' },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...body)),
  )
}

/** Pairs of a name and what it is. */
export function facts(pairs: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  const items = pairs.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)))
  return element('dl', { class: 'facts' }, ...items)
}

/** A part of the page under a heading. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  const heading = element('h2', { id: `${id}-title` }, title)
  return element('section', { id, 'aria-labelledby': `${id}-title` }, heading, ...children)
}

export function note(text: string): HTMLElement {
  return element('p', { class: 'note' }, text)
}
