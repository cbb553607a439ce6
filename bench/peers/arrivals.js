// RATE arrivals a second for SECONDS, whatever the server does; VUS bounds what may be in flight, READY of them
// exist from the start.
import http from "k6/http";
import { summary } from "./summary.js";

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ["p(50)", "p(90)", "p(99)", "max"],
  scenarios: {
    arrivals: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: `${__ENV.SECONDS}s`,
      preAllocatedVUs: Number(__ENV.READY),
      maxVUs: Number(__ENV.VUS),
      gracefulStop: "15s",
    },
  },
};

export default function () {
  http.get(__ENV.URL);
}

export const handleSummary = summary;
