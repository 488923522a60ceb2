import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { offsetOf } from "../time/format";
import { allZones, searchZones } from "../time/zones";
import { fieldId, fieldsOf, useForm, wrongWith } from "./context";

/** The zone of the schedule's clock: searched by any part of its name, or by offset. */
export function ZoneField() {
  const { form, set, errors } = useForm();
  const wrong = wrongWith(errors, "/schedule/timezone", fieldsOf(form));
  return (
    <Autocomplete
      id={fieldId("/schedule/timezone")}
      freeSolo
      autoHighlight={false}
      selectOnFocus
      disableClearable
      options={allZones()}
      filterOptions={(_, { inputValue }) => searchZones(inputValue === form.timezone ? "" : inputValue)}
      inputValue={form.timezone}
      value={form.timezone}
      onInputChange={(_, timezone) => set({ timezone })}
      renderOption={({ key, ...props }, zone) => (
        <li key={key} {...props} style={{ fontSize: "0.8125rem", justifyContent: "space-between" }}>
          {zone}
          <span style={{ opacity: 0.75 }}>{offsetOf(Date.now(), zone)}</span>
        </li>
      )}
      renderInput={(params) => (
        <TextField
          {...params}
          label="Time zone"
          error={wrong !== undefined}
          helperText={wrong ?? `Now ${safeOffset(form.timezone)}`}
        />
      )}
    />
  );
}

function safeOffset(zone: string) {
  return allZones().includes(zone) ? offsetOf(Date.now(), zone) : "";
}
