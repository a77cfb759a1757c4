import { runCases } from './bed.ts'
import { at, control, lasts } from './case.ts'

const MODIFIED = `Last-Modified: ${at(-1_000)}`
const lines = (...values: readonly string[]) => ({ fields: values.map((value) => `Cache-Control: ${value}`) })

/** How Cache-Control is read, whatever an origin writes. */
runCases([
  lasts('9111, 5.2', 'names have no case', 60, control('MaX-aGe=60')),
  lasts('9111, 5.2', 'no-store in capitals', 0, control('max-age=60, NO-STORE')),
  lasts('9111, 5.2', 'a quoted argument', 60, control('max-age="60"')),
  lasts('9111, 5.2', 'single quotes are no quotes', 0, control("max-age='60'", MODIFIED)),
  lasts('9110, 5.6.1', 'empty members', 60, control(',,max-age=60,,')),
  lasts('9110, 5.6.3', 'spaces and tabs around members', 60, control('  \tmax-age=60 \t ,\tpublic')),
  lasts('9110, 5.6.1', 'no space after the comma', 0, control('max-age=60,no-store')),
  lasts('9111, 4.2.1', 'a space before the sign: no number', 0, control('max-age =60', MODIFIED)),
  lasts('9111, 4.2.1', 'a space after the sign: no number', 0, control('max-age= 60', MODIFIED)),
  lasts('9111, 4.2.1', 'no argument', 0, control('max-age', MODIFIED)),
  lasts('9111, 4.2.1', 'an empty argument', 0, control('max-age=', MODIFIED)),
  lasts('9111, 4.2.1', 'a negative number', 0, control('max-age=-60', MODIFIED)),
  lasts('9111, 4.2.1', 'a sign', 0, control('max-age=+60', MODIFIED)),
  lasts('9111, 4.2.1', 'a fraction', 0, control('max-age=60.5', MODIFIED)),
  lasts('9111, 4.2.1', 'letters', 0, control('max-age=60s', MODIFIED)),
  lasts('9111, 4.2.1', 'hexadecimal', 0, control('max-age=0x60', MODIFIED)),
  lasts('9111, 1.2.2', 'leading zeros', 60, control('max-age=00060')),
  lasts('9111, 1.2.2', 'what overflows is 2^31', 2 ** 31, control('max-age=99999999999999999999')),
  lasts('9111, 1.2.2', '2^31 itself', 2 ** 31, control('max-age=2147483648')),
  lasts('9111, 4.2.1', 'twice the same', 60, control('max-age=60, max-age=60')),
  lasts('9111, 4.2.1', 'two that disagree: stale', 0, control('max-age=60, max-age=90')),
  lasts('9111, 4.2.1', 'two that disagree on two lines: stale', 0, lines('max-age=60', 'max-age=90')),
  lasts('9111, 4.2.1', 'two of s-maxage that disagree: stale', 0, control('s-maxage=60, s-maxage=90, max-age=60')),
  lasts('9110, 5.3', 'several lines are one list', 0, lines('max-age=60', 'no-store')),
  lasts('9110, 5.3', 'several lines, the other way round', 0, lines('no-store', 'max-age=60')),
  lasts('9110, 5.3', 'several lines that allow', 60, lines('public', 'max-age=60')),
  lasts('9111, 5.2.3', 'an unknown directive', 60, control('max-age=60, community="UCI"')),
  lasts('9111, 5.2.3', 'an unknown one alone', 0, control('community="UCI"')),
  lasts('9111, 5.2.3', 'a known name within an unknown argument', 60, control('a="no-store, private", max-age=60')),
  lasts('9111, 5.2.3', 'a known name as the beginning of another', 60, control('no-storex, xprivate, max-age=60')),
  lasts('9111, 5.2', 'an unclosed quote hides nothing that forbids', 0, control('max-age=60, a="b, no-store')),
  lasts('9111, 5.2', 'a quote too much hides nothing that forbids', 0, control('max-age="60, private')),
  lasts('9111, 5.2', 'an escaped quote within a quoted string', 60, control('a="\\"no-store", max-age=60')),
  lasts('9111, 5.2', 'a semicolon is no comma', 0, control('max-age=60; public', MODIFIED)),
  lasts('9111, 5.2', 'an argument where none belongs: no-store=1 forbids', 0, control('max-age=60, no-store=1')),
  lasts('9111, 5.2', 'an argument where none belongs: must-revalidate=x', 60, control('max-age=60, must-revalidate=x')),
  lasts('9111, 5.2', 'an empty field', 0, control('')),
  lasts('9111, 5.2', 'rubbish beside it', 60, control('@=;{}, max-age=60')),
  lasts('9111, 5.4', 'Pragma in an answer means nothing', 60, control('max-age=60', 'Pragma: no-cache')),
  lasts(
    '9111, 5.2.2',
    'directives of requests mean nothing in an answer',
    60,
    control('max-age=60, min-fresh=100, only-if-cached, max-stale'),
  ),
])
