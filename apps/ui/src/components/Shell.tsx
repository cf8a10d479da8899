// Header with navigation and colour scheme, around every page.
import {
  ActionIcon,
  AppShell,
  Burger,
  Drawer,
  Group,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconMoon, IconSun } from '@tabler/icons-react'
import { useEffect, type ReactNode } from 'react'
import { Link, useLocation } from 'react-router'
import favicon from '../theme/favicon.svg'
import classes from './Shell.module.css'

export interface NavItem {
  readonly to: string
  readonly label: string
  readonly icon: ReactNode
  /** Something waiting there, e.g. firing alerts. */
  readonly count?: number | undefined
}

export function Shell({
  title,
  nav,
  right,
  children,
}: {
  title: string
  nav: readonly NavItem[]
  right?: ReactNode
  children: ReactNode
}): ReactNode {
  const [opened, drawer] = useDisclosure(false)
  const { pathname } = useLocation()
  const here = nav.find((item) => item.to === pathname)?.label
  useEffect(() => {
    if (here !== undefined) document.title = `${here} · ${title}`
  }, [here, title])
  const links = nav.map((item) => (
    <Link
      key={item.to}
      to={item.to}
      className={classes['link']!}
      onClick={drawer.close}
      {...((pathname === item.to || pathname.startsWith(`${item.to}/`)) && {
        'aria-current': 'page' as const,
      })}
    >
      {item.icon}
      {item.label}
      {item.count !== undefined && item.count > 0 && <span className={classes['count']}>{item.count}</span>}
    </Link>
  ))
  return (
    <AppShell header={{ height: 52 }} padding="md">
      <AppShell.Header className={classes['header']!}>
        <Group h="100%" px="md" gap="lg" wrap="nowrap">
          {nav.length > 0 && (
            <Burger
              opened={opened}
              onClick={drawer.toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Navigation"
            />
          )}
          <Link to={nav[0]?.to ?? '/'} className={classes['brand']!}>
            <img src={favicon} width={26} height={26} alt="" />
            <Text fw={700} size="md">
              {title}
            </Text>
          </Link>
          <Group component="nav" gap={4} wrap="nowrap" visibleFrom="sm">
            {links}
          </Group>
          <Group ml="auto" gap="xs" wrap="nowrap">
            {right}
            <SchemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <Drawer opened={opened} onClose={drawer.close} title={title} size="xs" hiddenFrom="sm">
        <nav className={classes['drawer']}>{links}</nav>
      </Drawer>
      <AppShell.Main>{children}</AppShell.Main>
    </AppShell>
  )
}

function SchemeSwitch(): ReactNode {
  const { setColorScheme } = useMantineColorScheme()
  const dark = useComputedColorScheme('light') === 'dark'
  const label = dark ? 'Light colours' : 'Dark colours'
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={label}
        onClick={() => setColorScheme(dark ? 'light' : 'dark')}
      >
        {dark ? <IconSun size={18} /> : <IconMoon size={18} />}
      </ActionIcon>
    </Tooltip>
  )
}
