//! What a recording is called.

use super::file_name;

#[test]
fn file_names() {
    for (title, name) in [
        ("Town meeting", "town-meeting.m4a"),
        ("  Bürger & Bürgerinnen!  ", "bürger-bürgerinnen.m4a"),
        ("../../etc/passwd", "etc-passwd.m4a"),
        ("\"; rm", "rm.m4a"),
        ("!!!", "recording.m4a"),
    ] {
        assert_eq!(file_name(title), name, "{title:?}");
    }
}
