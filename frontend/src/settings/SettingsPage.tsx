import Box from "@mui/material/Box";
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import { useColorScheme } from "@mui/material/styles";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call, client } from "../api/client";
import { ZoneSwitch } from "../app/ZoneSwitch";
import { Page } from "../ui/Page";
import { Panel } from "../ui/Panels";
import { change, useSettings } from "./settings";

/** How it looks; kept in this browser. */
export default function SettingsPage() {
  const settings = useSettings();
  const { mode, setMode } = useColorScheme();
  return (
    <Page title="Settings" wide={false}>
      <Box sx={{ display: "grid", gap: 2 }}>
        <Panel title="Appearance">
          <Row name="Theme">
            <Choice
              label="Theme"
              value={mode ?? "system"}
              onChange={(value) => setMode(value as "system")}
              options={[
                ["system", "As the system"],
                ["light", "Light"],
                ["dark", "Dark"],
              ]}
            />
          </Row>
          <Row name="Rows">
            <Choice
              label="Rows"
              value={settings.density}
              onChange={(density) => change({ density: density as "compact" })}
              options={[
                ["compact", "Compact"],
                ["roomy", "Roomy"],
              ]}
            />
          </Row>
          <Row name="Time zone" note="Times everywhere are shown by this clock.">
            <ZoneSwitch />
          </Row>
          <Row name="Hours">
            <Choice
              label="Hours"
              value={settings.hour12 ? "12" : "24"}
              onChange={(hours) => change({ hour12: hours === "12" })}
              options={[
                ["24", "14:05"],
                ["12", "2:05 pm"],
              ]}
            />
          </Row>
          <Row name="Motion" note="Your system's wish for less of it is always respected.">
            <Toggle
              label="Less motion"
              checked={settings.reducedMotion}
              onChange={(reducedMotion) => change({ reducedMotion })}
            />
          </Row>
          <Row name="Keyboard" note="Ctrl K works in any case.">
            <Toggle
              label="Single-letter shortcuts"
              checked={settings.shortcuts}
              onChange={(shortcuts) => change({ shortcuts })}
            />
          </Row>
        </Panel>
        <System />
      </Box>
    </Page>
  );
}

function System() {
  const version = useQuery({
    queryKey: ["version"],
    queryFn: () => call(client.GET("/version")),
    staleTime: 60_000,
  });
  if (!version.data) return null;
  const { version: number, git_sha, tzdb } = version.data;
  return (
    <Panel title="Service">
      <Row name="Version">
        {number}
        {git_sha && ` (${git_sha.slice(0, 10)})`}
      </Row>
      <Row name="Time zone data">{tzdb}</Row>
      <Row name="API">
        <Box component="a" href="/docs/" sx={{ color: "primary.main" }}>
          Documentation
        </Box>
      </Row>
    </Panel>
  );
}

function Row({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 1,
        py: 1,
        borderTop: 1,
        borderColor: "line",
        "&:first-of-type": { borderTop: 0 },
        fontSize: "0.8125rem",
      }}
    >
      <Box sx={{ flex: "1 1 200px" }}>
        {name}
        {note && <Box sx={{ fontSize: "0.75rem", color: "text.secondary" }}>{note}</Box>}
      </Box>
      <Box>{children}</Box>
    </Box>
  );
}

function Choice(props: {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
}) {
  return (
    <ToggleButtonGroup
      exclusive
      value={props.value}
      aria-label={props.label}
      onChange={(_, value: string | null) => value && props.onChange(value)}
    >
      {props.options.map(([value, label]) => (
        <ToggleButton key={value} value={value}>
          {label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

function Toggle(props: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <FormControlLabel
      control={<Switch checked={props.checked} onChange={(event) => props.onChange(event.target.checked)} />}
      label={props.label}
      slotProps={{ typography: { variant: "body2" } }}
    />
  );
}
