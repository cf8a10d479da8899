// What the built-in inbox receiver was notified of, newest first.
import { Badge, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ago } from '../api/format.ts'
import { Labels } from '../components/Labels.tsx'
import { Empty, Failed, Loading } from '../components/States.tsx'
import { am, type Notification } from './api.ts'

export function InboxPage(): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['inbox'],
    queryFn: () => am<{ notifications: Notification[] }>('/api/v1/inbox'),
    refetchInterval: 5000,
  })
  if (!data) return error ? <Failed error={error} /> : <Loading />
  return (
    <Stack>
      {error && <Failed error={error} />}
      <Title order={1} size="h3">
        Inbox
      </Title>
      {data.notifications.length === 0 && (
        <Empty title="Nothing was notified yet">
          Alerts routed to a receiver with inbox_configs are kept here.
        </Empty>
      )}
      {data.notifications.map((one) => (
        <section key={one.id} className="wf-panel">
          <Stack gap={6} px="md" py="sm">
            <Group gap="sm">
              <Badge color={one.status === 'firing' ? 'red' : 'green'}>{one.status}</Badge>
              <Text fw={600} className="wf-break">
                {one.commonAnnotations['summary'] ?? one.commonLabels['alertname'] ?? 'Alerts'}
              </Text>
              <Text size="xs" c="dimmed" ml="auto">
                {ago(one.receivedAt)} · to {one.receiver}
              </Text>
            </Group>
            {one.alerts.map((alert, i) => (
              <Stack key={i} gap={4}>
                <Text size="sm" className="wf-break">
                  {alert.annotations['description'] ?? alert.annotations['summary']}
                </Text>
                <Labels labels={alert.labels} />
              </Stack>
            ))}
          </Stack>
        </section>
      ))}
    </Stack>
  )
}
