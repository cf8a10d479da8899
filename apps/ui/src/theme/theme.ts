// One look for all pages.
import { createTheme, type MantineThemeOverride } from '@mantine/core'

export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'ember',
  primaryShade: { light: 7, dark: 5 },
  colors: {
    ember: [
      '#fff3e6',
      '#ffe3c7',
      '#ffc690',
      '#ffa755',
      '#ff8d28',
      '#ff7a1a',
      '#f36a05',
      '#d45700',
      '#ad4600',
      '#863600',
    ],
    // Cool greys that go with the panels.
    dark: [
      '#d5dae1',
      '#b3bbc6',
      '#8d97a4',
      '#5f6976',
      '#3a424d',
      '#303741',
      '#262c35',
      '#1c2027',
      '#171a20',
      '#14171c',
    ],
  },
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: 'sm',
  components: {
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'md' } },
    // Badges hold names and states as they are written elsewhere.
    Badge: { styles: { root: { textTransform: 'none' } } },
  },
})

/** Series colours, distinct in light and dark and for most colour-blind readers. */
export const SERIES_COLORS: readonly string[] = [
  '#4c8dff',
  '#ff8d28',
  '#2fb57c',
  '#e5484d',
  '#a56eff',
  '#12b5cb',
  '#d6a419',
  '#e765b4',
  '#7a9a01',
  '#8d7b6a',
  '#5b6bd5',
  '#c2571a',
]

export function seriesColor(index: number): string {
  return SERIES_COLORS[index % SERIES_COLORS.length]!
}
