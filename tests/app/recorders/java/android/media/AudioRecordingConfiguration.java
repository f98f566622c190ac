package android.media;

import phone.Phone;

public final class AudioRecordingConfiguration {
    public boolean isClientSilenced() {
        Phone.since(29);
        return Phone.silenced;
    }
}
