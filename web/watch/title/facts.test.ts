import { expect, test } from 'bun:test'
import { describeFacts, describeHeight } from './facts.ts'

test('facts name the sharpest picture and the captions', () => {
  expect(describeFacts(null)).toEqual([])
  expect(describeFacts({ heights: [], captions: [] })).toEqual([])
  expect(describeFacts({ heights: [240, 1080, 480], captions: [{ language: 'en', label: 'English' }] })).toEqual([
    'Full HD',
    'Captions: English',
  ])
  expect([240, 480, 720, 1080, 2160].map(describeHeight)).toEqual(['240p', '480p', 'HD', 'Full HD', '4K'])
})
