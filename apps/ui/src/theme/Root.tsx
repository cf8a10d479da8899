// What every page stands in: theme, data fetching, router, and a net for errors of rendering.
import '@mantine/core/styles.css'
import '@mantine/dates/styles.css'
import './global.css'
import { Alert, Button, Code, Container, MantineProvider, Stack } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { Component, StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { theme } from './theme.ts'

const client = new QueryClient({
  defaultOptions: { queries: { retry: 1, refetchOnWindowFocus: false, staleTime: 1000 } },
})

class ErrorNet extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined }

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (!error) return this.props.children
    return (
      <Container py="xl">
        <Alert color="red" title="This page ran into an error">
          <Stack align="flex-start">
            <Code block>{error.message}</Code>
            <Button size="xs" onClick={() => window.location.reload()}>
              Load again
            </Button>
          </Stack>
        </Alert>
      </Container>
    )
  }
}

/** Renders a page into #root. */
export function mount(page: ReactNode): void {
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <QueryClientProvider client={client}>
          <BrowserRouter>
            <ErrorNet>{page}</ErrorNet>
          </BrowserRouter>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
