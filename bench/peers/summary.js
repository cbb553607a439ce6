// The summary object as it is, on stdout; the bench reads it.
export function summary(data) {
  return { stdout: JSON.stringify(data.metrics) };
}
