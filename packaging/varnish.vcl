vcl 4.1;

# An HTTP cache in front of a relay, for Varnish: a thousand players of HLS are one to the relay.
# What is asked for while it is held or fetched is asked for once; the others wait for it. docs/operators.md has the rest.

backend relay {
    .host = "127.0.0.1";
    .port = "8081";
    # Longer than the relay holds a request for what is about to be there.
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 60s;
}

sub vcl_recv {
    if (req.url !~ "^/(live|replay)/") {
        return (synth(404));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # The endless stream.
    if (req.url ~ "^/live/[^/]+\.mp4" || req.url ~ "^/live/[^/]+/t/[^/]+\.mp4") {
        return (pipe);
    }
    # Behind a private event's ticket, and what is read in ranges.
    if (req.url ~ "^/live/[^/]+/t/" || req.url ~ "^/replay/") {
        return (pass);
    }
    unset req.http.Cookie;
    unset req.http.Authorization;
    return (hash);
}

sub vcl_pipe {
    # One request a connection: the next one is looked at again.
    set bereq.http.Connection = "close";
}

sub vcl_backend_response {
    # A playlist is good for as long as the relay says, and not a moment more.
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    if (beresp.status >= 400) {
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;
    }
    return (deliver);
}
